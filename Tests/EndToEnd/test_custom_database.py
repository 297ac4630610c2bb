"""People whose passwords are in a database of somebody else's, in a browser: for good, and until they have come over."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from support.browser import take_picture
from support.callback import Callback
from support.concurrency import wait_until
from support.legacy_users import KEY, SCRIPTS, LegacyUsers
from support.portico import PASSWORD, Portico
from support.tenant import CONNECTION, WEB_APP, tenant

NEW_PASSWORD = "Difference-Engine-1822"


@pytest.fixture
def legacy() -> Iterator[tuple[LegacyUsers, Callback]]:
    users, callback = LegacyUsers(), Callback()
    yield users, callback
    callback.stop()
    users.stop()


def document(legacy: LegacyUsers, callback: Callback, imports: bool) -> dict:
    clinic = tenant(callbacks=[callback.url])
    clinic["databases"][0]["options"] |= legacy.options(imports)
    return clinic


class Somebody:
    """A person at the application's sign-in page."""

    def __init__(self, page: Page, portico: Portico, callback: Callback):
        self.page, self.portico, self.callback = page, portico, callback

    def open(self, **further: str) -> None:
        self.page.goto(
            f"{self.portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={self.callback.url}"
            "&scope=openid&state=s&prompt=login" + "".join(f"&{name}={value}" for name, value in further.items()))

    def send(self, email: str, password: str) -> None:
        self.page.get_by_label("Email address").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Continue").click()

    def expect_welcome(self) -> None:
        accept = self.page.get_by_role("button", name="Accept")
        welcome = self.page.get_by_role("heading", name="Welcome")
        expect(accept.or_(welcome)).to_be_visible()
        if accept.is_visible():
            accept.click()
        expect(welcome).to_be_visible()
        assert "code" in self.callback.take()[1]

    def sign_in(self, email: str, password: str) -> None:
        self.open()
        self.send(email, password)

    def open_mailed_link(self) -> None:
        inbox = f"{self.portico.url}dev/inbox.json"
        wait_until(
            lambda: self.portico.http_session().get(inbox, timeout=20).json(), 60, "there is no mail")
        mail = self.portico.http_session().get(inbox, timeout=20).json()[0]
        self.page.goto(next(word for word in mail["text"].split() if word.startswith(self.portico.url)))


def user_ids(portico: Portico) -> list[str]:
    return sorted(row[0] for row in portico.query("SELECT user_id FROM user_account"))


def test_the_other_database_keeps_its_users(new_portico: Callable[..., Portico], legacy, page: Page) -> None:
    (users, callback), portico = legacy, new_portico()
    users.add("ada@example.com", PASSWORD)
    portico.apply(document(users, callback, imports=False))
    assert "users are in another database, asked by its scripts login" in portico.command("doctor")
    exported = portico.command("export")
    assert KEY not in exported and "WrongUsernameOrPasswordError" in exported
    portico.start()
    ada = Somebody(page, portico, callback)

    ada.sign_in("ada@example.com", "wrong password 1")
    expect(page.get_by_text("Wrong email or password")).to_be_visible()
    ada.send("ada@example.com", PASSWORD)
    ada.expect_welcome()
    assert user_ids(portico) == ["auth0|legacy-1"]

    ada.open(screen_hint="signup")
    ada.send("grace@example.com", PASSWORD)
    ada.expect_welcome()
    assert users.has("grace@example.com", PASSWORD)
    assert user_ids(portico) == ["auth0|legacy-1", "auth0|legacy-2"]
    ada.open_mailed_link()
    expect(page.get_by_text("Email verified")).to_be_visible()
    assert users.users["grace@example.com"]["email_verified"]

    ada.open()
    page.get_by_role("link", name="Forgot password?").click()
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Check your email")).to_be_visible()
    wait_until(
        lambda: len(portico.http_session().get(f"{portico.url}dev/inbox.json", timeout=20).json()) == 2, 60,
        "there is no mail with a link to a new password")
    ada.open_mailed_link()
    for field in page.locator("input[type=password]").all():
        field.fill(NEW_PASSWORD)
    take_picture(page, "reset-password-of-a-custom-database")
    page.get_by_role("button").last.click()
    expect(page.get_by_text("Password changed!")).to_be_visible()
    assert users.has("ada@example.com", NEW_PASSWORD)
    ada.sign_in("ada@example.com", PASSWORD)
    expect(page.get_by_text("Wrong email or password")).to_be_visible()
    ada.send("ada@example.com", NEW_PASSWORD)
    ada.expect_welcome()
    assert portico.query("SELECT hash FROM user_password") == []


def test_users_come_over_one_by_one(new_portico: Callable[..., Portico], legacy, page: Page) -> None:
    (users, callback), portico = legacy, new_portico()
    users.add("ada@example.com", PASSWORD)
    portico.apply(document(users, callback, imports=True))
    portico.start()
    ada = Somebody(page, portico, callback)
    ada.sign_in("ada@example.com", PASSWORD)
    ada.expect_welcome()
    assert users.asked == ["login"] and user_ids(portico) == ["auth0|legacy-1"]
    users.stop()
    ada.sign_in("ada@example.com", PASSWORD)
    ada.expect_welcome()
    ada.sign_in("grace@example.com", PASSWORD)
    expect(page.get_by_text("We cannot check your password right now")).to_be_visible()
    wait_until(
        lambda: f"database script login ({CONNECTION})" in portico.command("logs"), 60, "the failure is no log event")


def test_a_script_is_tried_by_itself_and_read_before_it_is_applied(
    new_portico: Callable[..., Portico], legacy, tmp_path
) -> None:
    (users, callback), portico = legacy, new_portico()
    users.add("ada@example.com", PASSWORD)
    (tmp_path / "login.js").write_text(SCRIPTS["login"])
    event = {"arguments": ["ada@example.com", PASSWORD], "configuration": {"URL": users.url}}
    (tmp_path / "login.json").write_text(json.dumps(event))
    command = ["scripts", "test", str(tmp_path / "login.js"), "--database", "login", "--event",
               str(tmp_path / "login.json"), "--secret", f"KEY={KEY}"]
    tried = portico.command(*command)
    assert "user           auth0|legacy-1" in tried and "email          ada@example.com" in tried
    (tmp_path / "login.json").write_text(json.dumps(event | {"arguments": ["ada@example.com", "wrong"]}))
    refused = portico.run(*command)
    assert refused.returncode == 1 and "answers: WrongUsernameOrPasswordError: wrong" in refused.stdout

    broken = document(users, callback, imports=False)
    broken["databases"][0]["options"]["customScripts"] = {"login": "function login(email, {\n"}
    planned = portico.run("plan", str(portico.write(broken)))
    assert planned.returncode == 1 and "options.customScripts.login" in planned.stdout + planned.stderr
