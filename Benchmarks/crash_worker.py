"""What the crash test's threads do until something is killed, and what they check when it is back."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from relying_party import NotSent, RelyingParty, Unanswered, Unavailable, is_signed_by

SCOPE = "openid profile email read:a"
FAMILIES = 4  # refresh token families that a worker keeps alive
OLD_SESSIONS_CHECKED = 5
UNAVAILABLE_PAUSE = 0.01  # seconds until a thread asks again


class Findings:
    """Counts and problems of all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.kill = 0  # number of the kill under way

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def unavailable(self, answer: Unavailable, load: "Load") -> None:
        self.count("answers 503")
        if not load.killing.is_set():
            self.problem("503 from a server whose database is well", answer)
        if not (answer.retry_after or "").isdigit():
            self.problem("503 without Retry-After", answer.retry_after)

    def problem(self, kind: str, details: object) -> None:
        with self.lock:
            self.problems.append(f"kill {self.kill}: {kind}: {details}")


class Load:
    """What the threads of one round are told: what will be killed, when that begins, and when they shall stop."""

    def __init__(self, kills_server: bool):
        self.kills_server = kills_server
        self.killing = threading.Event()
        self.ending = threading.Event()


def until_killed(step: Callable[[], None], load: Load, findings: Findings) -> None:
    """Repeats `step` until the server does not answer, or is told to end. A 503 is an answer: the database is away."""
    try:
        while not load.ending.is_set():
            try:
                step()
            except Unavailable as answer:
                findings.unavailable(answer, load)
                load.ending.wait(UNAVAILABLE_PAUSE)
    except (NotSent, Unanswered) as error:
        if not load.killing.is_set() or not load.kills_server:
            findings.problem("no answer from a living server", repr(error))
    except Exception as error:
        findings.problem("the test itself failed", repr(error))


@dataclass
class Family:
    """A refresh token family: the code that it came from, the token acknowledged last, and the one spent for it."""

    code: str
    token: str
    spent: str | None = None


class Worker:
    """Redeems codes, refreshes and logs the client in, over one connection. Only its own thread touches its lists."""

    def __init__(self, party: RelyingParty, findings: Findings):
        self.party = party
        self.findings = findings
        self.families: list[Family] = []
        self.access_token: str | None = None
        self.redeemed: list[str] = []  # codes whose redemption was acknowledged
        self.uncertain: list[str] = []  # codes whose redemption was not answered
        self.held: list[str] = []  # codes that were issued and not sent back yet
        self.has_abandoned = False  # a family since the last kill: the others are kept for the checks

    # MARK: - Until the kill

    def work(self, load: Load) -> None:
        until_killed(self.step, load, self.findings)

    def step(self) -> None:
        random.choices([self.use_code, self.use_family, self.log_client_in], weights=[4, 4, 2])[0]()

    def use_code(self) -> None:
        new_family = len(self.families) < FAMILIES
        answer = self.party.authorize(SCOPE + " offline_access" * new_family)
        code = answer.code
        if not code:
            self.findings.problem("no code", answer)
            return
        self.findings.count("codes issued")
        self.held.append(code)
        if not new_family and random.random() < 0.1:
            return
        try:
            answer = self.party.redeem(code)
        except Unanswered as error:
            self.held.remove(code)
            # The head of a success is an acknowledgement, even when its tokens are lost.
            (self.redeemed if error.status == 200 else self.uncertain).append(code)
            raise
        self.held.remove(code)
        if answer.status != 200:
            self.findings.problem("a fresh code was refused", answer)
            return
        self.findings.count("codes redeemed")
        if new_family and "refresh_token" not in answer.json:
            self.findings.problem("no refresh token", answer.json.keys())
        elif new_family:
            self.families.append(Family(code, answer.json["refresh_token"]))
            return
        self.redeemed.append(code)

    def use_family(self) -> None:
        if not self.families or self.has_abandoned:
            return
        family = random.choice(self.families)
        try:
            self.refresh(family, "a living token was refused")
        except Unanswered:
            # Both the old token and one that nobody knows are possible now, and using a spent one revokes the family.
            self.families.remove(family)
            self.has_abandoned = True
            self.findings.count("families abandoned")
            raise

    def refresh(self, family: Family, complaint: str) -> None:
        answer = self.party.refresh(family.token)
        if answer.status == 200 and answer.json.get("refresh_token") not in (None, family.token):
            family.spent, family.token = family.token, answer.json["refresh_token"]
            self.findings.count("tokens refreshed")
        else:
            self.families.remove(family)
            self.findings.problem(complaint, answer)

    def log_client_in(self) -> None:
        answer = self.party.client_credentials()
        if answer.status == 200 and "access_token" in answer.json:
            self.access_token = answer.json["access_token"]
            self.findings.count("client logins")
        else:
            self.findings.problem("a client login was refused", answer)

    # MARK: - After the restart

    def check(self, key_set: dict) -> None:
        """Everything acknowledged must still hold, and nothing may work twice."""
        check_session(self.party, self.findings)
        if self.access_token and not is_signed_by(self.access_token, key_set):
            self.findings.problem("signing key lost", "an access token no longer verifies with the JWKS")
        for family in list(self.families):
            self.refresh(family, "refresh token lost")
            self.findings.count("families checked")
        for code in self.held:
            self.try_once(code, must_work=True)
        for code in self.uncertain:
            self.try_once(code, must_work=False)
        for code in self.held + self.uncertain + self.redeemed:
            self.must_be_spent(code)
        self.held, self.uncertain, self.redeemed, self.has_abandoned = [], [], [], False
        for family in list(self.families):
            if random.random() < 0.25:
                self.retire(family)

    def try_once(self, code: str, must_work: bool) -> None:
        answer = self.party.redeem(code)
        if answer.status == 200:
            self.findings.count("held codes redeemed" if must_work else "unanswered redemptions: had not happened")
        elif must_work:
            self.findings.problem("code lost", answer)
        elif answer.json.get("error") == "invalid_grant":
            self.findings.count("unanswered redemptions: had happened")
        else:
            self.findings.problem("unexpected answer to a code", answer)

    def must_be_spent(self, code: str) -> None:
        answer = self.party.redeem(code)
        self.findings.count("spent codes tried again")
        if answer.status == 200:
            self.findings.problem("code redeemed twice", answer.json.keys())
        elif answer.json.get("error") != "invalid_grant":
            self.findings.problem("unexpected answer to a spent code", answer)

    def retire(self, family: Family) -> None:
        """A family's spent token and spent code must be refused. Sending either revokes the family: this is its end."""
        self.families.remove(family)
        if family.spent:
            answer = self.party.refresh(family.spent)
            self.findings.count("spent refresh tokens tried again")
            if answer.status == 200:
                self.findings.problem("refresh token used twice", answer.json.keys())
            elif answer.json.get("error") != "invalid_grant":
                self.findings.problem("unexpected answer to a spent refresh token", answer)
        self.must_be_spent(family.code)


class LoginWorker:
    """Logs in with a password, again and again, each time in a new session."""

    def __init__(self, port: int, emails: list[str], findings: Findings):
        self.port = port
        self.emails = emails
        self.findings = findings
        self.sessions: list[RelyingParty] = []
        self.checked = 0  # sessions that were acknowledged before the last kill

    def work(self, load: Load) -> None:
        until_killed(self.step, load, self.findings)

    def step(self) -> None:
        # Hashing passwords without a pause would take the processor from the other workers.
        time.sleep(0.02)
        party = RelyingParty(self.port, random.choice(self.emails))
        answer = party.log_in()
        party.connection.close()
        if answer.code:
            self.sessions.append(party)
            self.findings.count("password logins")
        else:
            self.findings.problem("a password login was refused", answer)

    def check(self, key_set: dict) -> None:
        """The new sessions, and a few of the old, still sign in silently."""
        old = self.sessions[: self.checked]
        for party in self.sessions[self.checked :] + random.sample(old, min(len(old), OLD_SESSIONS_CHECKED)):
            check_session(party, self.findings)
            party.connection.close()
        self.checked = len(self.sessions)


def check_session(party: RelyingParty, findings: Findings) -> None:
    answer = party.authorize("openid", prompt="none")
    findings.count("sessions checked")
    if not answer.code:
        findings.problem("session lost", answer)
