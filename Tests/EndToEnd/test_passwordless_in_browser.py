"""A person signs in with a code or a link from a mail, in a browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from support.browser import take_picture, take_pictures
from support.callback import Callback
from support.portico import Portico
from support.tenant import WEB_APP, tenant


def test_a_code_from_a_mail_signs_a_person_in(new_portico: Callable[..., Portico], page: Page) -> None:
    portico, callback = new_portico(), Callback()
    try:
        document = tenant(callbacks=[callback.url])
        document["connections"] = [{"name": "email", "strategy": "email", "enabled_clients": [WEB_APP.name]}]
        portico.apply(document)
        portico.start()
        page.goto(
            f"{portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={callback.url}"
            "&scope=openid+email&state=s&prompt=login")
        take_picture(page, "login-with-code-button")
        page.get_by_role("button", name="Continue with email").click()
        take_picture(page, "login-code")
        page.get_by_label("Email address").fill("grace@example.com")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("grace@example.com")).to_be_visible()
        mail = portico.http_session().get(f"{portico.url}dev/inbox.json", timeout=20).json()[0]
        code = re.search(r"\b[0-9]{6}\b", mail["text"]).group()
        page.get_by_label("Code", exact=True).fill("000000" if code != "000000" else "111111")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
        take_picture(page, "login-code-wrong")
        page.get_by_label("Code", exact=True).fill(code)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        assert "code" in callback.take()[1]
    finally:
        callback.stop()


@pytest.fixture
def clinic(new_portico: Callable[..., Portico]):
    """An installation whose sign-in page sends links, and that lets applications send them too."""
    portico, callback = new_portico(), Callback()
    document = tenant(callbacks=[callback.url])
    document["tenant"]["universal_login"] = {"passwordless": {"allow_magiclink_verify_without_session": True}}
    document["connections"] = [{
        "name": "email", "strategy": "email", "enabled_clients": [WEB_APP.name],
        "options": {"portico_send": "link"}}]
    portico.apply(document)
    portico.start()
    yield portico, callback
    callback.stop()


def mailed_link(portico: Portico) -> str:
    return portico.http_session().get(f"{portico.url}dev/inbox.json", timeout=20).json()[0]["links"][0]


def test_a_link_from_a_mail_signs_a_person_in_where_it_was_asked_for(
    clinic, new_page: Callable[..., Page]
) -> None:
    (portico, callback), page = clinic, new_page()
    page.goto(
        f"{portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={callback.url}"
        "&scope=openid+email&state=s&connection=email")
    take_pictures(page, "login-link")
    page.get_by_label("Email address").fill("grace@example.com")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("A link was sent to grace@example.com")).to_be_visible()
    take_pictures(page, "login-link-sent")
    link = mailed_link(portico)
    # Somebody else's browser, or another device of the same person.
    elsewhere = new_page()
    elsewhere.goto(link)
    expect(elsewhere.get_by_role("heading", name="Open the link where you asked for it")).to_be_visible()
    take_pictures(elsewhere, "login-link-other-browser")
    # A mail program opens a window of its own.
    window = page.context.new_page()
    window.goto(link)
    expect(window.get_by_role("heading", name="Welcome")).to_be_visible()
    answer = callback.take()[1]
    assert "code" in answer and answer["state"] == "s"
    window.goto(link)
    expect(window.get_by_role("heading", name="This link is not good any more")).to_be_visible()


def test_a_link_that_an_application_asks_for_tells_whose_account_it_is(clinic, page: Page) -> None:
    portico, callback = clinic
    answer = portico.http_session().post(f"{portico.url}passwordless/start", timeout=20, json={
        "client_id": WEB_APP.id, "client_secret": WEB_APP.secret, "connection": "email", "email": "grace@example.com",
        "authParams": {"response_type": "code", "redirect_uri": callback.url, "scope": "openid", "state": "mine"}})
    assert answer.status_code == 200, answer.text
    page.goto(mailed_link(portico))
    expect(page.get_by_text("You are about to log in as grace@example.com.")).to_be_visible()
    take_pictures(page, "confirm-link-login")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    answer = callback.take()[1]
    assert "code" in answer and answer["state"] == "mine"


def test_the_development_inbox_is_for_this_machine_alone(clinic) -> None:
    portico, _ = clinic
    session = portico.http_session()
    assert session.get(f"{portico.url}dev/inbox.json", timeout=20).status_code == 200
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"]:
        for path in ["dev/inbox", "dev/inbox.json"]:
            answer = session.get(f"{portico.url}{path}", headers={"Host": host}, timeout=20)
            assert answer.status_code == 404, host
