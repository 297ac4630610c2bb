"""Logging out: the browser goes back, the frames of the applications load, their back channels get logout tokens."""

import queue
import re
import signal
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from playwright.sync_api import Page, expect

from support.application import Application
from support.logout import LogoutReceiver
from support.portico import PASSWORD, Portico
from support.visitor import Visitor

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def receiver() -> Iterator[LogoutReceiver]:
    receiver = LogoutReceiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def portico(new_portico: Callable[..., Portico], receiver: LogoutReceiver) -> Portico:
    portico = new_portico()
    portico.apply(receiver.tenant())
    return portico.start()


@pytest.fixture
def application(portico: Portico, receiver: LogoutReceiver) -> Application:
    return Application(portico, callback=receiver.callback)


def sign_in(page: Page, application: Application) -> str:
    """Signs a new user in, and returns the ID token."""
    email = application.portico.create_user()
    page.goto(application.authorization_url(scope="openid email"))
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    accept = page.get_by_role("button", name="Accept")
    expect(accept.or_(page.get_by_role("heading", name="Application"))).to_be_visible()
    if accept.is_visible():
        accept.click()
    page.wait_for_url(re.compile("/callback"))
    response = application.redeem(parse_qs(urlsplit(page.url).query)["code"][0])
    assert response.status_code == 200, response.text
    return response.json()["id_token"]


def logout_url(portico: Portico, **parameters: str) -> str:
    document = portico.http_session().get(f"{portico.url}.well-known/openid-configuration", timeout=20).json()
    return f"{document['end_session_endpoint']}?{urlencode(parameters)}"


def verify(portico: Portico, token: str) -> dict:
    """What PyJWT says of a logout token, as Back-Channel Logout 1.0 §2.6 asks."""
    key = jwt.PyJWKClient(f"{portico.issuer}.well-known/jwks.json").get_signing_key_from_jwt(token).key
    claims = jwt.decode(
        token, key, algorithms=["RS256"], audience=Application(portico).client.id, issuer=portico.issuer,
        options={"require": ["iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"]})
    assert claims["events"] == {EVENT: {}} and "nonce" not in claims
    assert claims["exp"] - claims["iat"] <= 120
    assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"
    return claims


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_logout_reaches_both_channels_and_the_browser_goes_back(
    portico: Portico, application: Application, receiver: LogoutReceiver, new_page: Callable[..., Page],
    javascript: bool
) -> None:
    page = new_page(java_script_enabled=javascript)
    token = sign_in(page, application)
    claims = jwt.decode(token, options={"verify_signature": False})
    page.goto(
        logout_url(portico, id_token_hint=token, post_logout_redirect_uri=receiver.goodbye, state="a&b ü"),
        wait_until="commit")
    page.wait_for_url(f"{receiver.goodbye}?state=a%26b%20%C3%BC")
    expect(page.get_by_role("heading", name="Application")).to_be_visible()
    assert receiver.front.get(timeout=60) == {"iss": portico.issuer, "sid": claims["sid"]}
    told = verify(portico, receiver.back.get(timeout=60)["logout_token"])
    assert (told["sub"], told["sid"]) == (claims["sub"], claims["sid"])
    page.goto(application.authorization_url(prompt="none"))
    assert parse_qs(urlsplit(page.url).query)["error"] == ["login_required"]
    assert receiver.front.empty() and receiver.back.empty()


def test_whoever_is_asked_may_stay_logged_in_or_not(
    portico: Portico, application: Application, receiver: LogoutReceiver, page: Page
) -> None:
    sign_in(page, application)
    request = logout_url(portico, client_id=application.client.id, post_logout_redirect_uri=receiver.goodbye)
    page.goto(request)
    expect(page.get_by_role("main")).to_contain_text("Are you sure you want to log out from Appointments Web App?")
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("heading", name="You are still logged in")).to_be_visible()
    assert receiver.front.empty()
    page.goto(request)
    page.get_by_role("button", name="Yes").click()
    page.wait_for_url(receiver.goodbye)
    assert receiver.front.get(timeout=60)["iss"] == portico.issuer
    verify(portico, receiver.back.get(timeout=60)["logout_token"])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_restart_between_two_tries_loses_no_logout_token(
    portico: Portico, application: Application, receiver: LogoutReceiver, sign: signal.Signals
) -> None:
    receiver.statuses.put(503)
    visitor = Visitor(portico)
    tokens = application.tokens(portico.create_user(), visitor)
    visitor.open(logout_url(portico, id_token_hint=tokens["id_token"]))
    first = receiver.back.get(timeout=60)["logout_token"]
    time.sleep(0.5)  # until the failure is written down
    portico.restart(sign)
    second = verify(portico, receiver.back.get(timeout=60)["logout_token"])
    assert second["jti"] != verify(portico, first)["jti"]
    assert second["sid"] == jwt.decode(tokens["id_token"], options={"verify_signature": False})["sid"]
    with pytest.raises(queue.Empty):
        receiver.back.get(timeout=2)
