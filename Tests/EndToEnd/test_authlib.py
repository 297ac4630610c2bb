"""Authlib, as it comes from its makers, signs people in; the pages are gone through with requests."""

import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

from support.portico import PASSWORD, Portico
from support.tenant import API, BASIC, CALLBACK, MACHINE, PUBLIC, WEB_APP, Client
from support.visitor import Visitor

SCOPE = "openid profile email offline_access appointments"


@pytest.fixture(scope="module")
def metadata(secure_portico: Portico) -> dict:
    """What the server says of itself."""
    return secure_portico.http_session().get(f"{secure_portico.issuer}.well-known/openid-configuration").json()


def session(client: Client, method: str, metadata: dict, **options) -> OAuth2Session:
    return OAuth2Session(
        client.id, client.secret, token_endpoint_auth_method=method, scope=SCOPE, redirect_uri=CALLBACK,
        token_endpoint=metadata["token_endpoint"], revocation_endpoint_auth_method=method, **options)


def sign_in(portico: Portico, oauth: OAuth2Session, metadata: dict, **parameters: str) -> dict:
    """A person goes from Authlib's authorization URL to the callback; Authlib redeems what it is told."""
    url, state = oauth.create_authorization_url(metadata["authorization_endpoint"], audience=API, **parameters)
    visitor = Visitor(portico)
    page = visitor.submit(
        visitor.open(url), username=portico.create_user(), password=PASSWORD, action="default")
    back = visitor.submit(page, action="accept")
    return oauth.fetch_token(
        metadata["token_endpoint"], authorization_response=back.headers["Location"], state=state,
        code_verifier=parameters.get("code_verifier"))


@pytest.mark.parametrize(
    ("client", "method"),
    [(PUBLIC, "none"), (WEB_APP, "client_secret_post"), (BASIC, "client_secret_basic")],
    ids=["public client", "client_secret_post", "client_secret_basic"])
def test_authlib_completes_the_code_flow_with_pkce_and_refreshes(
    secure_portico: Portico, metadata: dict, client: Client, method: str
) -> None:
    oauth = session(client, method, metadata, code_challenge_method="S256")
    tokens = sign_in(secure_portico, oauth, metadata, code_verifier=generate_token(48))
    assert {"access_token", "id_token", "refresh_token", "expires_in", "scope"} <= set(tokens)
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 86400

    who = oauth.get(metadata["userinfo_endpoint"])
    assert who.status_code == 200 and who.json()["email"].endswith("@example.com")

    renewed = oauth.refresh_token(metadata["token_endpoint"])
    assert renewed["access_token"] != tokens["access_token"]
    assert oauth.get(metadata["userinfo_endpoint"]).json()["sub"] == who.json()["sub"]


def test_authlib_completes_the_code_flow_without_pkce(secure_portico: Portico, metadata: dict) -> None:
    oauth = session(BASIC, "client_secret_basic", metadata)
    assert "refresh_token" in sign_in(secure_portico, oauth, metadata)


def test_authlib_renews_an_access_token_by_itself_when_it_has_expired(
    secure_portico: Portico, metadata: dict
) -> None:
    kept: list[dict] = []
    oauth = session(
        WEB_APP, "client_secret_post", metadata,
        update_token=lambda token, **_: kept.append(token))
    tokens = sign_in(secure_portico, oauth, metadata)
    oauth.token = {**tokens, "expires_at": 1}
    assert oauth.get(metadata["userinfo_endpoint"]).status_code == 200
    assert kept and kept[0]["access_token"] != tokens["access_token"]


def test_authlib_revokes_a_refresh_token(secure_portico: Portico, metadata: dict) -> None:
    oauth = session(BASIC, "client_secret_basic", metadata)
    tokens = sign_in(secure_portico, oauth, metadata)
    revoked = oauth.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"], "refresh_token")
    assert revoked.status_code == 200
    with pytest.raises(Exception, match="invalid_grant"):
        oauth.refresh_token(metadata["token_endpoint"], tokens["refresh_token"])


def test_authlib_gets_a_token_for_a_service(secure_portico: Portico, metadata: dict) -> None:
    oauth = OAuth2Session(MACHINE.id, MACHINE.secret, token_endpoint_auth_method="client_secret_post")
    tokens = oauth.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", audience=API)
    assert tokens["scope"] == "appointments" and "refresh_token" not in tokens
