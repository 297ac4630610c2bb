"""Mail: to a real mail server by every kind of connection, and what people do with it in a browser."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from support.browser import take_pictures
from support.certificates import Authority
from support.mail_server import PASSWORD, USER, MailServer
from support.person import Person, new_email
from support.portico import Portico
from support.tenant import CONNECTION, WEB_APP, tenant

NEW_PASSWORD = "Difference-Engine-1822"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[Portico, MailServer]]]:
    """Starts a mail server and an installation that sends by it."""
    running: list[Portico | MailServer] = []

    def make(
        secure: str | None = None, needs_password: bool = False, host: str = "localhost",
        trusted: bool = True, password: str = PASSWORD
    ) -> tuple[Portico, MailServer]:
        authority = Authority()
        file = tmp_path / "authority.pem"
        file.write_bytes((authority if trusted else Authority("Another one")).certificate)
        server = MailServer(tmp_path, secure, authority.issue(host) if secure else None, needs_password)
        portico = Portico(tmp_path / "portico")
        credentials = {"smtp_host": "localhost", "smtp_port": server.port}
        if needs_password:
            credentials |= {"smtp_user": USER, "smtp_pass": password}
        portico.apply(tenant() | {
            "emailProvider": {
                "name": "smtp", "enabled": True, "default_from_address": "Clinic für alle <clinic@example.com>",
                "credentials": credentials, "settings": {"security": secure or "none"}},
        })
        running.extend([server, portico])
        portico.start(SSL_CERT_FILE=str(file))
        return portico, server

    yield make
    # Who sends says good-bye to the mail server, and waits for its answer.
    for each in reversed(running):
        each.stop()


def sign_up(portico: Portico, address: str) -> None:
    answer = requests.post(f"{portico.url}dbconnections/signup", json={
        "client_id": WEB_APP.id, "connection": CONNECTION, "email": address, "password": NEW_PASSWORD})
    assert answer.status_code == 200, answer.text


def link(text: str, portico: Portico) -> str:
    found = re.search(re.escape(portico.issuer) + r"\S+", text)
    assert found, text
    return found.group()


@pytest.mark.parametrize(
    ("secure", "needs_password"),
    [(None, False), ("starttls", True), ("tls", True)],
    ids=["plain on this machine", "STARTTLS with a password", "implicit TLS with a password"])
def test_a_mail_arrives_with_its_link_and_the_link_works(start, secure: str | None, needs_password: bool) -> None:
    portico, server = start(secure, needs_password)
    sign_up(portico, "ada@example.com")
    envelope, mail = server.next()
    assert envelope.mail_from == "clinic@example.com" and envelope.rcpt_tos == ["ada@example.com"]
    assert mail["From"].addresses[0].display_name == "Clinic für alle"
    assert mail["To"] == "ada@example.com" and mail["Subject"].startswith("Confirm your e-mail address")
    assert mail["Message-ID"].endswith("@localhost>") and mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    assert link(text, portico).rstrip() in html
    page = requests.get(link(text, portico))
    assert page.status_code == 200 and "Confirm your email address" in page.text
    ticket = link(text, portico).rstrip("#").partition("ticket=")[2]
    done = requests.post(f"{portico.url}u/email-verification", data={"ticket": ticket})
    assert done.status_code == 200 and "Email verified" in done.text
    assert requests.get(f"{portico.url}dev/inbox").status_code == 404


def test_an_address_that_is_not_ascii_arrives(start) -> None:
    portico, server = start()
    sign_up(portico, "jürgen@bücher.example.com")
    envelope, _ = server.next()
    assert envelope.rcpt_tos[0].startswith("jürgen@")
    assert envelope.smtp_utf8


def test_a_server_that_refuses_for_a_while_gets_each_mail_once(start) -> None:
    portico, server = start()
    server.refusals = 2
    sign_up(portico, "ada@example.com")
    _, mail = server.next()
    assert server.refused == 2
    sign_up(portico, "grace@example.com")
    _, other = server.next()
    assert mail["To"] == "ada@example.com" and other["To"] == "grace@example.com"
    assert server.taken.empty() and mail["Message-ID"] != other["Message-ID"]
    wait_for(lambda: dict(portico.query("SELECT recipient, state FROM mail")) == {
        "ada@example.com": "sent", "grace@example.com": "sent"})


def test_a_mail_outlives_the_end_of_the_server(start, tmp_path: Path) -> None:
    portico, server = start()
    server.refusals = 1
    sign_up(portico, "ada@example.com")
    wait_for(lambda: server.refused == 1)
    portico.stop()
    portico.start(SSL_CERT_FILE=str(tmp_path / "authority.pem"))
    _, mail = server.next()
    assert mail["To"] == "ada@example.com"


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"secure": "tls", "trusted": False}, "is not trusted"),
        ({"secure": "starttls", "host": "other.example.com"}, "is not trusted"),
        ({"secure": "starttls", "needs_password": True, "password": "another one"}, "does not accept smtp_user"),
    ],
    ids=["an authority that nobody trusts", "another host's certificate", "a wrong password"])
def test_no_mail_goes_where_it_should_not(start, options: dict, cause: str) -> None:
    portico, server = start(**options)
    sign_up(portico, "ada@example.com")
    wait_for(lambda: cause in portico.server.text())
    assert server.taken.empty()
    assert PASSWORD not in portico.server.text() and "another one" not in portico.server.text()
    assert portico.query("SELECT state FROM mail") == [("waiting",)]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


# In a browser, with the development inbox


def open_mail(page: Page, site, email: str) -> None:
    """Opens the newest mail to somebody in the development inbox."""
    page.goto(f"{site.portico.url}dev/inbox")
    page.locator("li").filter(has_text=email).first.get_by_role("link").click()


def test_a_person_signs_up_and_verifies_the_address(site, page: Page) -> None:
    person, email = Person(page, site.web_app), new_email()
    person.sign_up(email)
    person.accept()
    person.expect_signed_in()
    assert person.claims("ID token")["email_verified"] is False
    open_mail(page, site, email)
    frame = page.frame_locator("iframe.letter")
    expect(frame.get_by_role("heading", name="Confirm your e-mail address")).to_be_visible()
    page.locator("ul.links a").first.click()
    expect(page.get_by_role("heading", name="Email verified")).to_be_visible()
    page.goto(site.web_app)
    person.press("Sign out")
    person.sign_in(email)
    person.expect_signed_in()
    assert person.claims("ID token")["email_verified"] is True


def test_a_verification_link_that_is_opened_elsewhere_asks_first(site, new_page: Callable[..., Page]) -> None:
    page, email = new_page(), new_email()
    Person(page, site.web_app).sign_up(email)
    inbox = site.portico.http_session().get(f"{site.portico.url}dev/inbox.json", params={"to": email}, timeout=20)
    # A scanner that runs scripts is a browser too.
    elsewhere = new_page()
    elsewhere.goto(inbox.json()[0]["links"][0])
    expect(elsewhere.get_by_role("heading", name="Confirm your email address")).to_be_visible()
    expect(elsewhere.get_by_text(email)).to_be_visible()
    take_pictures(elsewhere, "confirm-link-email")
    elsewhere.get_by_role("button", name="Confirm").click()
    expect(elsewhere.get_by_role("heading", name="Email verified")).to_be_visible()


def test_a_person_who_has_forgotten_the_password_chooses_another(site, page: Page) -> None:
    person, email = Person(page, site.web_app), site.portico.create_user()
    person.go_to_sign_in()
    page.get_by_role("link", name="Forgot password?").click()
    expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    open_mail(page, site, email)
    page.locator("ul.links a").first.click()
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Repeat the new password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Reset password").click()
    expect(page.get_by_role("heading", name="Password changed!")).to_be_visible()
    person.sign_in(email)
    expect(page.get_by_role("alert")).to_contain_text("Wrong email or password")
    person.send_credentials(email, NEW_PASSWORD)
    person.accept()
    person.expect_signed_in()
