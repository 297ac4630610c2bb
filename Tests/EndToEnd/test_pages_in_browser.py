"""Every page at the width of a small telephone, and what its headers let it do."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from support.application import Application
from support.person import Person, expect_no_sideways_scrolling, new_email


@pytest.fixture
def telephone(new_page: Callable[..., Page]) -> Page:
    return new_page(viewport={"width": 320, "height": 640}, has_touch=True)


def test_sign_in_and_sign_up_fit_a_telephone_with_all_their_messages(site, telephone: Page) -> None:
    person = Person(telephone, site.web_app)
    person.go_to_sign_in()
    expect_no_sideways_scrolling(telephone)
    long = "a-very-long-name-that-somebody-has-" * 4 + "@example.com"
    person.send_credentials(long, "not the password")
    expect(telephone.get_by_role("alert")).to_be_visible()
    expect_no_sideways_scrolling(telephone)
    telephone.get_by_role("link", name="Sign up").click()
    expect(telephone.get_by_role("heading", name="Create your account")).to_be_visible()
    expect_no_sideways_scrolling(telephone)
    person.send_credentials(new_email(), "weak")
    expect(telephone.get_by_role("alert").first).to_be_visible()
    expect_no_sideways_scrolling(telephone)


def test_consent_fits_a_telephone(site, telephone: Page) -> None:
    Person(telephone, site.web_app).sign_up("a-person-with-quite-a-long-address-indeed@subdomain.example.com")
    expect_no_sideways_scrolling(telephone)
    accept, decline = (telephone.get_by_role("button", name=name).bounding_box() for name in ("Accept", "Decline"))
    assert min(accept["height"], decline["height"]) >= 44, "a finger needs 44 px"


def test_errors_fit_a_telephone(site, telephone: Page) -> None:
    callback = "https://app.example.com/" + "a-long-path-without-any-place-to-break" * 5
    telephone.goto(Application(site.portico).authorization_url(redirect_uri=callback))
    expect(telephone.get_by_role("heading", name="Callback URL mismatch.")).to_be_visible()
    expect_no_sideways_scrolling(telephone)
    telephone.goto(f"{site.portico.issuer}u/login?state={'x' * 43}")
    expect(telephone.get_by_role("heading", name="Something went wrong")).to_be_visible()
    expect_no_sideways_scrolling(telephone)


def test_the_page_after_signing_out_fits_a_telephone(site, telephone: Page) -> None:
    telephone.goto(f"{site.portico.issuer}v2/logout")
    expect(telephone.get_by_role("heading", name="You are logged out")).to_be_visible()
    expect_no_sideways_scrolling(telephone)


def test_sign_in_fits_a_telephone_with_letters_twice_as_large(site, telephone: Page) -> None:
    Person(telephone, site.web_app).go_to_sign_in()
    session = telephone.context.new_cdp_session(telephone)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    expect_no_sideways_scrolling(telephone)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_pages_keep_the_rules_of_accessibility(site, new_page: Callable[..., Page], colours: str) -> None:
    page = new_page(color_scheme=colours)
    person = Person(page, site.web_app)
    person.go_to_sign_in()
    expect_accessible(page)
    person.send_credentials("nobody@example.com", "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    expect_accessible(page)
    page.get_by_role("link", name="Sign up").click()
    expect(page.get_by_role("heading", name="Create your account")).to_be_visible()
    expect_accessible(page)
    person.send_credentials(new_email(), "weak")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect_accessible(page)
    person.send_credentials(new_email())
    expect(page.get_by_role("heading", name="Authorize App")).to_be_visible()
    expect_accessible(page)
    person.accept()
    person.expect_signed_in()
    expect_accessible(page)
    page.goto(Application(site.portico).authorization_url(prompt="select_account"))
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    expect_accessible(page)
    page.goto(f"{site.portico.issuer}v2/logout")
    expect_accessible(page)
    page.goto(Application(site.portico).authorization_url(redirect_uri="https://app.example.com/other"))
    expect_accessible(page)


def test_a_person_chooses_between_accounts_on_a_telephone_without_script(site, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport={"width": 320, "height": 640}, has_touch=True, java_script_enabled=False)
    person, email = Person(page, site.web_app), "a-person-with-quite-a-long-address-too@subdomain.example.com"
    person.sign_up(email)
    person.accept()
    person.expect_signed_in()
    application = Application(site.portico)
    page.goto(application.authorization_url(prompt="select_account"))
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    expect_no_sideways_scrolling(page)
    expect(page.get_by_role("button", name=f"Continue as {email}")).to_be_visible()
    page.get_by_role("button", name="Use another account").click()
    expect(page.get_by_role("heading", name="Log in to Appointments Web App")).to_be_visible()
    expect(page.get_by_label("Email address")).to_have_value("")
    page.goto(application.authorization_url(prompt="select_account login"))
    page.get_by_role("button", name=f"Continue as {email}").click()
    expect(page.get_by_label("Email address")).to_have_value(email)


def expect_accessible(page: Page) -> None:
    """axe-core finds nothing against the WCAG, contrast included."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    assert not found, "\n".join(
        f"{page.url}: {rule['help']}: {node['html']}" for rule in found for node in rule["nodes"])


def test_nobody_can_show_the_pages_in_a_frame(site, page: Page) -> None:
    response = page.goto(Application(site.portico).authorization_url())
    assert response is not None
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-frame-options"] == "DENY"


def test_no_page_fetches_anything_from_elsewhere(site, page: Page) -> None:
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if not _is_ours(request.url, site) else None)
    person = Person(page, site.web_app)
    person.sign_up(new_email())
    person.accept()
    person.expect_signed_in()
    assert elsewhere == []


def _is_ours(url: str, site) -> bool:
    return url.startswith((site.portico.issuer, site.web_app, "data:"))
