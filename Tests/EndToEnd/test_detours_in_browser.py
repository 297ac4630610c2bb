"""People reload, go back, and open a second window."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from support.application import Application
from support.callback import Callback
from support.person import Person
from support.portico import Portico
from support.tenant import BASIC, CALLBACK, tenant


@pytest.fixture
def person(site, page: Page) -> Person:
    return Person(page, site.web_app)


@pytest.fixture
def email(site) -> str:
    return site.portico.create_user()


def test_a_reloaded_form_still_works(person: Person, email: str) -> None:
    person.go_to_sign_in()
    person.page.reload()
    person.send_credentials(email, "not the password")
    expect(person.page.get_by_role("alert")).to_be_visible()
    person.page.reload()
    person.send_credentials(email)
    expect(person.page.get_by_role("heading", name="Authorize App")).to_be_visible()
    person.page.reload()
    person.accept()
    person.expect_signed_in()


def test_whoever_goes_back_from_consent_can_sign_in_as_somebody_else(site, person: Person, email: str) -> None:
    person.go_to_sign_in()
    person.send_credentials(email)
    expect(person.page.get_by_role("heading", name="Authorize App")).to_be_visible()
    person.page.go_back()
    other = site.portico.create_user(name="Grace Hopper")
    person.send_credentials(other)
    expect(person.page.get_by_role("main")).to_contain_text("Hi Grace Hopper")
    person.accept()
    person.expect_signed_in()
    assert person.claims("ID token")["email"] == other


def test_whoever_goes_back_after_signing_in_reads_that_it_is_over(person: Person, email: str) -> None:
    person.sign_in(email)
    person.accept()
    person.expect_signed_in()
    person.page.go_back()
    expect(person.page.get_by_role("main")).to_contain_text("This login is not under way in this browser any more")
    person.page.goto(person.web_app)
    person.expect_signed_in()


def test_two_windows_sign_in_one_after_the_other(site, page: Page, email: str) -> None:
    first, second = Person(page, site.web_app), Person(page.context.new_page(), site.web_app)
    application = Application(site.portico, BASIC, site.callback.url)
    site.callback.forget()
    for person in (first, second):
        person.page.goto(application.authorization_url(scope="openid email"))
    second.send_credentials(email)
    second.accept()
    assert site.callback.take()[1].keys() == {"code", "state", "iss"}
    # The first window's form is of the time before the session; it is shown once more.
    first.send_credentials(email)
    expect(page.get_by_role("alert")).to_contain_text("Please try again")
    first.send_credentials(email)
    assert site.callback.take()[1].keys() == {"code", "state", "iss"}


def test_a_login_link_of_another_browser_is_refused(person: Person, new_page, email: str) -> None:
    person.go_to_sign_in()
    stranger = new_page()
    stranger.goto(person.page.url)
    expect(stranger.get_by_role("main")).to_contain_text("This login is not under way in this browser any more")
    expect(stranger.get_by_label("Password")).to_have_count(0)


def test_a_browser_signs_in_over_https_with_cookies_that_never_leave_it(new_page, new_portico) -> None:
    callback = Callback()
    portico: Portico = new_portico(tls=True)
    portico.apply(tenant(callbacks=[callback.url]))
    portico.start()
    page = new_page(ignore_https_errors=True)
    page.goto(Application(portico, BASIC, callback.url).authorization_url(response_mode="form_post"))
    person = Person(page, "")
    person.send_credentials(portico.create_user())
    person.accept()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    assert callback.take()[1].keys() == {"code", "state", "iss"}
    cookies = [cookie for cookie in page.context.cookies() if cookie["domain"] == urlsplit(portico.issuer).hostname]
    assert {cookie["name"] for cookie in cookies} == {"auth0", "did"}
    assert all(cookie["secure"] and cookie["httpOnly"] for cookie in cookies)
    callback.stop()


def test_an_unregistered_callback_is_shown_with_its_difference_and_never_followed(site, page: Page) -> None:
    page.goto(Application(site.portico).authorization_url(redirect_uri=CALLBACK + "s"))
    expect(page.get_by_role("heading", name="Callback URL mismatch.")).to_be_visible()
    expect(page.locator(".sent mark")).to_have_text("s")
    assert page.url.startswith(site.portico.issuer)
