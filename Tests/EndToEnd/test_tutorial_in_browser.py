"""The tutorial, walked by a person in a real browser through the example web application."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from support.person import Person, new_email
from support.tenant import API, WEB_APP


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_person_signs_up_consents_calls_the_api_refreshes_and_signs_out(
    site, new_page: Callable[..., Page], javascript: bool
) -> None:
    page = new_page(java_script_enabled=javascript)
    person, email = Person(page, site.web_app), new_email()
    person.sign_up(email)
    # What the application asks for is there in the words of the API's owner.
    for text in ["See your appointments", "See your contacts", "Appointments API", "Appointments Web App"]:
        expect(page.get_by_role("main")).to_contain_text(text)
    person.accept()

    person.expect_signed_in()
    id_token, access_token = person.claims("ID token"), person.claims("Access token")
    assert id_token["iss"] == access_token["iss"] == site.portico.issuer
    assert id_token["aud"] == WEB_APP.id and id_token["email"] == email
    assert access_token["aud"] == [API, f"{site.portico.issuer}userinfo"]
    assert access_token["scope"].split() == "openid profile email offline_access appointments contacts".split()

    person.press("Call the API")
    expect(person.card("Answer of the API")).to_contain_text("200 OK")
    expect(person.card("Answer of the API")).to_contain_text('"title"')

    before = person.raw("Access token"), person.raw("Refresh token")
    person.press("Refresh")
    expect(page.get_by_role("status")).to_contain_text("You have a new access token.")
    assert person.raw("Access token") != before[0] and person.raw("Refresh token") != before[1]
    person.press("Call the API")
    expect(person.card("Answer of the API")).to_contain_text("200 OK")

    person.press("Sign out")
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    assert page.url.rstrip("/") == site.web_app


def test_whoever_comes_back_signs_in_and_is_not_asked_for_consent_again(site, page: Page) -> None:
    person, email = Person(page, site.web_app), new_email()
    person.sign_up(email)
    person.accept()
    person.expect_signed_in()
    person.press("Sign out")

    person.sign_in(email)
    person.expect_signed_in()
    assert person.claims("ID token")["email"] == email


def test_whoever_is_signed_in_at_the_server_needs_one_click(site, page: Page) -> None:
    person = Person(page, site.web_app)
    person.sign_up(new_email())
    person.accept()
    person.expect_signed_in()
    page.context.clear_cookies(name="web_app_session")

    person.open_application()
    person.click_sign_in()
    person.expect_signed_in()


def test_signing_out_ends_the_session_at_the_server_too(site, page: Page) -> None:
    person = Person(page, site.web_app)
    person.sign_up(new_email())
    person.accept()
    person.expect_signed_in()
    person.press("Sign out")
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()

    person.click_sign_in()
    expect(page.get_by_role("heading", name="Log in to Appointments Web App")).to_be_visible()


def test_whoever_declines_goes_back_with_access_denied(site, page: Page) -> None:
    person = Person(page, site.web_app)
    person.sign_up(new_email())
    with page.expect_request(re.compile(re.escape(site.web_app) + "/callback")) as callback:
        page.get_by_role("button", name="Decline").click()
    assert "error=access_denied" in callback.value.url
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("access_denied")

    # It was only this once: the next time the question is the same.
    person.click_sign_in()
    expect(page.get_by_role("heading", name="Authorize App")).to_be_visible()
