"""The Hybrid Flow tutorial, walked by a person in a real browser through the example web application."""

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from support.person import Person

HYBRID = "Sign in with the Hybrid Flow"


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_person_signs_in_and_calls_the_api(site, new_page: Callable[..., Page], javascript: bool) -> None:
    page = new_page(java_script_enabled=javascript)
    person, email = Person(page, site.web_app), site.portico.create_user()
    person.sign_in(email, HYBRID)
    with page.expect_request(f"{site.web_app}/callback") as callback:
        person.accept()
        if not javascript:
            person.press("Continue")
    person.expect_signed_in()
    assert page.url.rstrip("/") == site.web_app

    # Everything came in the form, and nothing in an address.
    brought = {name: values[0] for name, values in parse_qs(callback.value.post_data).items()}
    assert callback.value.method == "POST" and "?" not in callback.value.url
    assert {"code", "id_token", "access_token", "token_type", "expires_in", "state"} <= set(brought)
    assert "refresh_token" not in brought

    claims, card = person.claims("What the browser brought"), person.card("What the browser brought")
    assert claims["c_hash"] == left_half(brought["code"]) and claims["at_hash"] == left_half(brought["access_token"])
    expect(card).to_contain_text(f"{claims['c_hash']} is the hash of the code")
    expect(card).to_contain_text(f"{claims['at_hash']} is the hash of the access token")

    # The API is called with the token endpoint's tokens, which no browser has seen.
    assert person.raw("Access token") != brought["access_token"] and person.raw("ID token") != brought["id_token"]
    assert person.claims("ID token")["sub"] == claims["sub"] and person.claims("ID token")["email"] == email
    person.press("Call the API")
    expect(person.card("Answer of the API")).to_contain_text("200 OK")
    person.press("Refresh")
    expect(page.get_by_role("status")).to_contain_text("You have a new access token.")


@pytest.mark.parametrize(("exchanged", "claim"), [("code", "c_hash"), ("access_token", "at_hash")])
def test_whoever_exchanges_a_part_of_the_answer_is_found_out(site, page: Page, exchanged: str, claim: str) -> None:
    def exchange(route: Route) -> None:
        brought = {name: values[0] for name, values in parse_qs(route.request.post_data).items()}
        route.continue_(post_data=urlencode(brought | {exchanged: "somebody-elses"}))

    person = Person(page, site.web_app)
    person.sign_in(site.portico.create_user(), HYBRID)
    page.route(f"{site.web_app}/callback", exchange)
    person.accept()
    expect(page.get_by_role("heading", name="The answer was put together")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(claim)
    person.open_application()


def test_whoever_declines_goes_back_with_access_denied(site, page: Page) -> None:
    person = Person(page, site.web_app)
    person.sign_in(site.portico.create_user(), HYBRID)
    person.press("Decline")
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("access_denied")


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(site, new_page: Callable[..., Page]) -> None:
    attacker, victim = new_page(), new_page()
    Person(attacker, site.web_app).sign_in(site.portico.create_user(), HYBRID)
    bodies: list[str] = []

    def keep(route: Route) -> None:
        bodies.append(route.request.post_data)
        route.fulfill(status=200, body="<!doctype html><link rel=icon href='data:,'><title>Kept</title>")

    attacker.route(f"{site.web_app}/callback", keep)
    Person(attacker, site.web_app).accept()
    expect(attacker).to_have_title("Kept")
    answer = victim.request.post(
        f"{site.web_app}/callback", data=bodies[0], headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 400 and "did not begin here" in answer.text()


def left_half(text: str) -> str:
    """The hash of OpenID Connect Core §3.3.2.11 for RS256."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")
