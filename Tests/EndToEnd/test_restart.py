"""A server that is stopped, or killed, forgets nothing that it has told anybody."""

import signal
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest

from support.application import Application
from support.portico import PASSWORD, Portico
from support.visitor import Form, Visitor, told

SIGNALS = pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])


@SIGNALS
def test_a_login_goes_on_after_a_restart(own_portico: Portico, sign: signal.Signals) -> None:
    application, visitor = Application(own_portico), Visitor(own_portico)
    email = own_portico.create_user()
    login = visitor.open(application.authorization_url())
    own_portico.restart(sign)
    consent = visitor.submit(login, username=email, password=PASSWORD, action="default")
    assert consent.url.startswith(f"{own_portico.issuer}u/consent"), consent.text
    own_portico.restart(sign)
    code = told(visitor.submit(consent, action="accept"))["code"]
    own_portico.restart(sign)
    assert application.redeem(code).status_code == 200


@SIGNALS
def test_sessions_consent_and_tokens_survive_a_restart(own_portico: Portico, sign: signal.Signals) -> None:
    application, visitor = Application(own_portico), Visitor(own_portico)
    tokens = application.tokens(own_portico.create_user(), visitor)
    kids = {key["kid"] for key in application.jwks()["keys"]}
    own_portico.restart(sign)

    assert {key["kid"] for key in application.jwks()["keys"]} == kids
    silent = told(visitor.open(application.authorization_url(prompt="none")))
    assert application.redeem(silent["code"]).status_code == 200
    renewed = application.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, renewed.text
    assert application.refresh(renewed.json()["refresh_token"]).status_code == 200
    userinfo = application.http.get(
        f"{own_portico.issuer}userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert userinfo.status_code == 200


@SIGNALS
def test_what_was_used_or_revoked_stays_so_after_a_restart(own_portico: Portico, sign: signal.Signals) -> None:
    application = Application(own_portico)
    email = own_portico.create_user()
    code = application.code(email)
    tokens = application.redeem(code).json()
    application.http.post(
        f"{own_portico.issuer}oauth/revoke",
        data={"client_id": application.client.id, "client_secret": application.client.secret,
              "token": tokens["refresh_token"]}).raise_for_status()
    own_portico.restart(sign)
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert application.redeem(code).json()["error"] == "invalid_grant"


def test_logins_that_are_under_way_are_answered_before_the_server_stops(own_portico: Portico) -> None:
    # On a busy machine everything may be answered before the signal comes, which shows nothing.
    assert any(_stop_during_logins(own_portico) for _ in range(5)), "there never was a login under way"


def _stop_during_logins(own_portico: Portico) -> int:
    """How many logins were under way when the server was told to stop; all are answered then."""
    application = Application(own_portico)
    email = own_portico.create_user()
    visitors = [Visitor(own_portico) for _ in range(6)]
    logins = [visitor.open(application.authorization_url()) for visitor in visitors]
    with ThreadPoolExecutor(len(visitors)) as pool:
        # Hashes are computed a few at a time: the last of these waits for the others.
        answers = [
            pool.submit(
                visitor.http.post, login.url, allow_redirects=False, timeout=20,
                data=Form(login.text).fields | {"username": email, "password": PASSWORD, "action": "default"})
            for visitor, login in zip(visitors, logins)
        ]
        wait(answers, return_when=FIRST_COMPLETED)
        under_way = sum(not answer.done() for answer in answers)
        assert own_portico.stop(signal.SIGTERM) == 0
        assert [answer.result().status_code for answer in answers] == [302] * len(visitors)
    own_portico.start()
    return under_way


def test_a_server_that_is_asked_to_stop_ends_with_success(own_portico: Portico) -> None:
    assert own_portico.stop(signal.SIGTERM) == 0
    own_portico.start()
    assert own_portico.stop(signal.SIGINT) == 0
