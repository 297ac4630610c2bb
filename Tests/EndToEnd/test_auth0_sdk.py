"""Auth0's own SDK for Python, as it comes from PyPI, with nothing but another domain."""

from urllib.parse import urlencode

import pytest
from auth0.authentication import GetToken, RevokeToken, Users
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.pushed_authorization_requests import PushedAuthorizationRequests
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier

from support.application import Application
from support.portico import PASSWORD, Portico
from support.tenant import API, CALLBACK, CONNECTION, DASHBOARD, MACHINE, PUBLIC, WEB_APP
from support.visitor import Visitor


@pytest.fixture
def get_token(secure_portico: Portico) -> GetToken:
    return GetToken(secure_portico.domain, WEB_APP.id, WEB_APP.secret)


@pytest.fixture
def verifier(secure_portico: Portico) -> TokenVerifier:
    keys = AsymmetricSignatureVerifier(f"{secure_portico.issuer}.well-known/jwks.json")
    return TokenVerifier(keys, issuer=secure_portico.issuer, audience=WEB_APP.id)


def test_a_code_becomes_tokens_that_the_sdk_verifies(
    secure_portico: Portico, get_token: GetToken, verifier: TokenVerifier
) -> None:
    email = secure_portico.create_user(name="Grace Hopper")
    code = Application(secure_portico).code(email, nonce="n-0S6_WzA2Mj", max_age="3600")
    tokens = get_token.authorization_code(code, CALLBACK)
    claims = verifier.verify(tokens["id_token"], nonce="n-0S6_WzA2Mj", max_age=3600)
    assert claims["email"] == email and claims["name"] == "Grace Hopper"

    who = Users(secure_portico.domain).userinfo(tokens["access_token"])
    assert who["sub"] == claims["sub"] and who["email"] == email


def test_a_public_client_redeems_a_code_with_pkce(secure_portico: Portico) -> None:
    # The pair of RFC 7636, appendix B.
    code = Application(secure_portico, PUBLIC).code(
        secure_portico.create_user(), code_challenge_method="S256",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    tokens = GetToken(secure_portico.domain, PUBLIC.id).authorization_code_pkce(
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", code, CALLBACK)
    assert "refresh_token" in tokens


def test_a_refresh_token_brings_a_new_access_token(
    secure_portico: Portico, get_token: GetToken, verifier: TokenVerifier
) -> None:
    tokens = Application(secure_portico).tokens(secure_portico.create_user())
    renewed = get_token.refresh_token(tokens["refresh_token"])
    assert renewed["access_token"] != tokens["access_token"]
    assert verifier.verify(renewed["id_token"])["sub"] == verifier.verify(tokens["id_token"])["sub"]

    narrowed = get_token.refresh_token(renewed["refresh_token"], scope="openid")
    assert narrowed["scope"] == "openid"


def test_a_service_gets_a_token_for_an_api(secure_portico: Portico) -> None:
    tokens = GetToken(secure_portico.domain, MACHINE.id, MACHINE.secret).client_credentials(API)
    assert tokens["scope"] == "appointments" and tokens["expires_in"] == 86400


def test_an_application_of_old_sends_the_password_itself(secure_portico: Portico) -> None:
    sdk, email = GetToken(secure_portico.domain, DASHBOARD.id, DASHBOARD.secret), secure_portico.create_user()
    tokens = sdk.login(email, PASSWORD, scope="openid email", realm=CONNECTION, audience=API)
    assert Users(secure_portico.domain).userinfo(tokens["access_token"])["email"] == email
    with pytest.raises(Auth0Error) as wrong:
        sdk.login(email, "not-the-password", realm=CONNECTION)
    assert wrong.value.error_code == "invalid_grant"


def test_a_request_that_was_pushed_ahead_is_used_once(secure_portico: Portico, get_token: GetToken) -> None:
    sdk = PushedAuthorizationRequests(secure_portico.domain, WEB_APP.id, WEB_APP.secret)
    pushed = sdk.pushed_authorization_request("code", CALLBACK, scope="openid email", state="xyzABC123")
    url = f"{secure_portico.url}authorize?{urlencode({'client_id': WEB_APP.id, 'request_uri': pushed['request_uri']})}"
    visitor, email = Visitor(secure_portico), secure_portico.create_user()
    answer = visitor.sign_in(url, email)
    assert answer["state"] == "xyzABC123"
    tokens = get_token.authorization_code(answer["code"], CALLBACK)
    assert Users(secure_portico.domain).userinfo(tokens["access_token"])["email"] == email
    assert not visitor.open(url).is_redirect


def test_a_revoked_refresh_token_is_refused(secure_portico: Portico, get_token: GetToken) -> None:
    tokens = Application(secure_portico).tokens(secure_portico.create_user())
    RevokeToken(secure_portico.domain, WEB_APP.id, WEB_APP.secret).revoke_refresh_token(tokens["refresh_token"])
    with pytest.raises(Auth0Error) as refused:
        get_token.refresh_token(tokens["refresh_token"])
    assert (refused.value.status_code, refused.value.error_code) in [(400, "invalid_grant"), (403, "invalid_grant")]


def test_the_sdk_reads_the_errors(secure_portico: Portico, get_token: GetToken) -> None:
    with pytest.raises(Auth0Error) as wrong_code:
        get_token.authorization_code("not-a-code", CALLBACK)
    assert wrong_code.value.error_code == "invalid_grant" and wrong_code.value.message
    with pytest.raises(Auth0Error) as wrong_secret:
        GetToken(secure_portico.domain, WEB_APP.id, "not-the-secret").client_credentials(API)
    assert wrong_secret.value.status_code == 401 and wrong_secret.value.message
    with pytest.raises(Auth0Error) as wrong_token:
        Users(secure_portico.domain).userinfo("not-a-token")
    assert wrong_token.value.status_code == 401
