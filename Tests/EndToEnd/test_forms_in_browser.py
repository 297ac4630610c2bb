"""What forms do with mistakes, without a mouse, and for a page that posts itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from support.application import Application
from support.person import Person, new_email
from support.portico import PASSWORD
from support.tenant import BASIC

BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@BOTH
def test_a_wrong_password_is_told_beside_the_form_and_the_right_one_then_works(
    site, new_page: Callable[..., Page], javascript: bool
) -> None:
    page = new_page(java_script_enabled=javascript)
    email = site.portico.create_user()
    person = Person(page, site.web_app)
    person.go_to_sign_in()
    person.send_credentials(email, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Wrong email or password")
    expect(page.get_by_label("Email address")).to_have_value(email)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    person.send_credentials(email)
    person.accept()
    person.expect_signed_in()


def test_an_unknown_address_reads_like_a_wrong_password(site, page: Page) -> None:
    person = Person(page, site.web_app)
    person.go_to_sign_in()
    person.send_credentials("nobody@example.com", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Wrong email or password")


@BOTH
def test_a_weak_password_shows_which_rules_it_breaks(site, new_page: Callable[..., Page], javascript: bool) -> None:
    page = new_page(java_script_enabled=javascript)
    person, email = Person(page, site.web_app), new_email()
    person.go_to_sign_up()
    person.send_credentials(email, "lowercase")
    expect(page.get_by_role("alert").first).to_contain_text("stronger password")
    expect(page.locator("#password-rules li.satisfied").first).to_be_visible()
    expect(page.locator("#password-rules li:not(.satisfied)").first).to_be_visible()
    person.send_credentials(email)
    expect(page.get_by_role("heading", name="Authorize App")).to_be_visible()


def test_a_password_can_be_looked_at(site, page: Page) -> None:
    Person(page, site.web_app).go_to_sign_in()
    field = page.get_by_label("Password", exact=True)
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")


def test_a_person_signs_in_and_consents_with_the_keyboard_alone(site, page: Page) -> None:
    email = site.portico.create_user()
    page.goto(site.web_app)
    keyboard = page.keyboard
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_label("Email address")).to_be_focused()
    keyboard.type(email)
    keyboard.press("Tab")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Authorize App")).to_be_visible()
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="Accept")).to_be_focused()
    keyboard.press("Enter")
    Person(page, site.web_app).expect_signed_in()


def test_the_focus_is_where_the_mistake_is(site, page: Page) -> None:
    person = Person(page, site.web_app)
    person.go_to_sign_in()
    person.send_credentials("nobody@example.com", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.activeElement.tagName") == "INPUT"


def test_a_second_click_on_continue_sends_nothing_again(site, page: Page) -> None:
    email = site.portico.create_user()
    Person(page, site.web_app).go_to_sign_in()
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Continue").dblclick()
    expect(page.get_by_role("heading", name="Authorize App")).to_be_visible()
    assert len(sent) == 1, sent


def test_a_form_post_answer_posts_itself_to_the_application(site, page: Page) -> None:
    application = Application(site.portico, BASIC, site.callback.url)
    _sign_in(page, site, application.authorization_url(response_mode="form_post", scope="openid email"))
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    method, brought = site.callback.take()
    assert method == "POST" and set(brought) == {"code", "state", "iss"} and brought["state"] == "xyzABC123"


def test_a_form_post_answer_has_a_button_where_there_is_no_javascript(site, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    application = Application(site.portico, BASIC, site.callback.url)
    _sign_in(page, site, application.authorization_url(response_mode="form_post", scope="openid email"))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    method, brought = site.callback.take()
    assert method == "POST" and set(brought) == {"code", "state", "iss"}


def test_an_error_is_posted_to_the_application_too(site, page: Page) -> None:
    site.callback.forget()
    application = Application(site.portico, BASIC, site.callback.url)
    page.goto(application.authorization_url(response_mode="form_post", prompt="none"))
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    method, brought = site.callback.take()
    assert method == "POST" and brought["error"] == "login_required" and brought["state"] == "xyzABC123"


def _sign_in(page: Page, site, url: str) -> None:
    site.callback.forget()
    page.goto(url)
    person = Person(page, site.web_app)
    person.send_credentials(site.portico.create_user())
    person.accept()
