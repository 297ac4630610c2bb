"""Organizations as people meet them: an invitation from the mail to the token, the prompt, the picker, the wrong one."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from auth0.management import ManagementClient
from playwright.sync_api import Page, expect

from support.application import Application
from support.browser import take_picture
from support.callback import Callback
from support.person import expect_no_sideways_scrolling
from support.portico import PASSWORD, Portico
from support.tenant import WEB_APP

START = "https://app.example.com/start"
API_SCOPES = ["create:organization_invitations", "read:organization_invitations"]


@pytest.fixture
def managed_scopes() -> list[str]:
    return API_SCOPES


@pytest.fixture
def callback(management: ManagementClient) -> Iterator[Callback]:
    """The web application's callback, where somebody listens."""
    callback = Callback()
    management.clients.update(WEB_APP.id, callbacks=[callback.url])
    yield callback
    callback.stop()


@pytest.fixture
def window(new_page: Callable[..., Page]) -> Page:
    return new_page(ignore_https_errors=True)


def _address(server: Portico, callback: Callback, **changes: str) -> str:
    """Where a login begins that needs no consent."""
    return Application(server, callback=callback.url).authorization_url(
        audience="", scope="openid profile email", **changes)


def _organization(management: ManagementClient, name: str, members: list[str], **settings) -> str:
    connection = next(one.id for one in management.connections.list())
    made = management.organizations.create(
        name=name, enabled_connections=[{"connection_id": connection}], **settings)
    if members:
        management.organizations.members.create(made.id, members=members)
    return made.id


def _user_id(management: ManagementClient, email: str) -> str:
    return management.users.list_users_by_email(email=email)[0].user_id


def _claims(server: Portico, callback: Callback) -> dict:
    _, told = callback.take()
    tokens = Application(server, callback=callback.url).redeem(told["code"]).json()
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


def _sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def test_prompt_and_wrong_organization(
    server: Portico, management: ManagementClient, callback: Callback, window: Page,
) -> None:
    email = server.create_user()
    acme = _organization(management, "acme", [_user_id(management, email)], display_name="Acme Health", branding={
        "colors": {"primary": "#0b6b4b", "page_background": "#ecf8f2"}})
    _organization(management, "barts", [], display_name="Barts Hospital")
    management.clients.update(
        WEB_APP.id, organization_usage="require", organization_require_behavior="pre_login_prompt")
    address = _address(server, callback)
    window.goto(address)
    expect(window.get_by_role("heading", name="Enter Organization")).to_be_visible()
    take_picture(window, "organization-prompt")
    window.get_by_label("Organization").fill("acne")
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_role("alert")).to_have_text("The organization you entered is invalid")
    take_picture(window, "organization-prompt-invalid")
    window.get_by_label("Organization").fill("acme")
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_role("heading", name="Log in to")).to_be_visible()
    expect(window.get_by_text("Acme Health").first).to_be_visible()
    take_picture(window, "organization-login")
    _sign_in(window, email)
    assert _claims(server, callback)["org_id"] == acme

    window.goto(address)
    window.get_by_label("Organization").fill("barts")
    window.get_by_role("button", name="Continue").click()
    _, told = callback.take()
    assert told["error"] == "access_denied" and "is not part of the org_" in told["error_description"]


def test_picker(
    server: Portico, management: ManagementClient, callback: Callback, window: Page,
) -> None:
    email = server.create_user()
    member = [_user_id(management, email)]
    _organization(management, "acme", member, display_name="Acme Health")
    barts = _organization(management, "barts", member, display_name="Barts Hospital")
    management.clients.update(
        WEB_APP.id, organization_usage="allow", organization_require_behavior="post_login_prompt")
    window.goto(_address(server, callback))
    _sign_in(window, email)
    expect(window.get_by_role("heading", name="Choose an Organization")).to_be_visible()
    expect_no_sideways_scrolling(window)
    take_picture(window, "organization-picker")
    window.get_by_role("button", name="Barts Hospital").click()
    assert _claims(server, callback)["org_id"] == barts
    window.goto(_address(server, callback))
    window.get_by_role("button", name="Continue without an organization").click()
    assert "org_id" not in _claims(server, callback)


def test_an_invitation_from_the_mail_to_the_token(
    server: Portico, management: ManagementClient, callback: Callback, window: Page,
) -> None:
    acme = _organization(management, "acme", [], display_name="Acme Health")
    management.clients.update(WEB_APP.id, organization_usage="allow", initiate_login_uri=START)
    management.organizations.invitations.create(
        acme, inviter={"name": "Grace Hopper"}, invitee={"email": "new@example.com"}, client_id=WEB_APP.id)

    mail = server.http_session().get(f"{server.url}dev/inbox.json", timeout=20).json()[0]
    assert mail["to"] == "new@example.com"
    link = next(link for link in mail["links"] if link.startswith(START))
    sent = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert sent["organization"] == acme and sent["organization_name"] == "acme"
    window.goto(_address(
        server, callback, invitation=sent["invitation"], organization=sent["organization"]))

    expect(window.get_by_role("heading", name="You've Been Invited!")).to_be_visible()
    expect(window.get_by_text("Grace Hopper")).to_be_visible()
    take_picture(window, "invitation")
    window.get_by_role("button", name="Accept Invitation").click()
    expect(window.get_by_label("Email address")).to_have_value("new@example.com")
    take_picture(window, "invitation-signup")
    window.get_by_label("Password", exact=True).fill(PASSWORD)
    window.get_by_role("button", name="Continue").click()
    claims = _claims(server, callback)
    assert claims["org_id"] == acme and claims["email"] == "new@example.com" and claims["email_verified"] is True

    window.goto(_address(
        server, callback, invitation=sent["invitation"], organization=sent["organization"]))
    _, told = callback.take()
    assert (told["error"], told["error_description"]) == (
        "invalid_request", "invitation not found or already used")
