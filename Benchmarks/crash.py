#!/usr/bin/env python3
"""Kills Portico or its PostgreSQL with SIGKILL under load: nothing acknowledged may be lost, nothing may work twice."""

import argparse
import random
import sqlite3
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from building import BenchmarkError
from crash_worker import Findings, Load, LoginWorker, Worker
from database import DATABASES, PostgreSQL, SQLite
from relying_party import NotSent, RelyingParty, Unanswered
from server import Server

KILL_AFTER = (0.02, 0.3)  # seconds of load
LOAD_AFTERWARDS = 0.2  # seconds, where the server goes on
PROBLEMS_SHOWN = 20

# What is killed.
PORTICO = "Portico"
BACKEND = "a backend of PostgreSQL"


class CrashTest:
    def __init__(self, server: Server, workers: int):
        self.server = server
        self.findings = Findings()
        self.restarts: dict[str, list[float]] = {}  # seconds until ready again, by what was killed
        emails = server.prepare(workers)
        server.start()
        self.workers = [Worker(self._logged_in(email), self.findings) for email in emails]
        self.login_worker = LoginWorker(server.port, emails, self.findings)

    def _logged_in(self, email: str) -> RelyingParty:
        party = RelyingParty(self.server.port, email)
        answer = party.log_in()
        if not answer.code:
            raise BenchmarkError(f"{email} cannot log in: {answer}\n{self.server.log_tail()}")
        return party

    def round(self, victim: str) -> None:
        """Load, kill, recovery, check."""
        self.findings.kill += 1
        load = Load(kills_server=victim == PORTICO)
        everybody = [*self.workers, self.login_worker]
        threads = [threading.Thread(target=worker.work, args=(load,), daemon=True) for worker in everybody]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(*KILL_AFTER))
        load.killing.set()
        seconds = self._kill_server(threads) if load.kills_server else self._kill_backend(load, threads)
        self.restarts.setdefault(victim, []).append(seconds)
        key_set = RelyingParty(self.server.port, "").request("GET", "/.well-known/jwks.json").json
        with ThreadPoolExecutor(len(everybody)) as pool:
            for check in [pool.submit(worker.check, key_set) for worker in everybody]:
                check.result()

    def _kill_server(self, threads: list[threading.Thread]) -> float:
        self.server.kill()
        for thread in threads:
            thread.join()
        return self.server.start()

    def _kill_backend(self, load: Load, threads: list[threading.Thread]) -> float:
        """The load goes on while PostgreSQL recovers, and after that: service has to return by itself."""
        began = time.monotonic()
        self.server.database.kill_backend()
        self.server.wait_until_ready()
        seconds = time.monotonic() - began
        time.sleep(LOAD_AFTERWARDS)
        load.ending.set()
        for thread in threads:
            thread.join()
        return seconds

    def finish(self) -> None:
        """Ends every family that is left, and asks the database whether its files are sound."""
        for worker in self.workers:
            for family in list(worker.families):
                worker.retire(family)
        self.server.stop()
        if isinstance(self.server.database, PostgreSQL):
            self.findings.count("schemas checked by amcheck")
            if damage := self.server.database.damage():
                self.findings.problem("PostgreSQL is damaged", damage)
        else:
            self._check_files()

    def _check_files(self) -> None:
        for file in self.server.data.rglob("*"):
            if not file.is_file() or file.read_bytes()[:15] != b"SQLite format 3":
                continue
            database = sqlite3.connect(file)
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            database.close()
            self.findings.count("database files checked")
            if verdict != "ok":
                self.findings.problem(f"{file.name} is damaged", verdict)

    def summary(self) -> bool:
        """Prints what happened. Returns whether all is well."""
        findings = self.findings
        for victim, times in self.restarts.items():
            milliseconds = [seconds * 1000 for seconds in times]
            print(f"{len(milliseconds)} kills of {victim}; ready again after ", end="")
            print(f"{statistics.median(milliseconds):.0f} ms (median), {max(milliseconds):.0f} ms (longest)")
        for what, count in sorted(findings.counts.items()):
            print(f"  {count:>8,}  {what}")
        if not findings.problems:
            print("nothing acknowledged was lost, and nothing worked twice")
            return True
        print(f"{len(findings.problems)} PROBLEMS")
        for problem in findings.problems[:PROBLEMS_SHOWN]:
            print(f"  {problem}")
        return False


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portico", default=".build/release/portico", help="the program (default: %(default)s)")
    parser.add_argument("--database", choices=DATABASES, default="sqlite", help="default: %(default)s")
    parser.add_argument("--kills", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=8, help="threads, each with a user (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the random choices, to repeat a run as far as timing allows")
    options = parser.parse_args()
    if options.kills < 1 or options.workers < 1:
        parser.error("--kills and --workers are at least 1")
    return options


def main() -> int:
    options, database, server, well = parse_options(), None, None, False
    random.seed(options.seed)
    try:
        database = DATABASES[options.database]()
        server = Server(options.portico, database)
        test = CrashTest(server, options.workers)
        victims = [PORTICO] if options.database == SQLite.name else [PORTICO, BACKEND]
        for number in range(options.kills):
            test.round(victims[number % len(victims)])
        test.finish()
        well = test.summary()
        return 0 if well else 1
    except (NotSent, Unanswered) as error:
        print(f"error: the server did not answer a check: {error!r}\n{server.log_tail()}", file=sys.stderr)
        return 2
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        if server and well:
            server.remove()
        elif server:
            server.stop()
            print(f"the data and the server's log are kept in {server.folder}", file=sys.stderr)
        if database:
            database.stop()


if __name__ == "__main__":
    sys.exit(main())
