"""Authlib, as it comes from its makers, signs people in; the pages are gone through with requests."""

import time

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import get_claim_cls_by_response_type
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

from support.application import Application
from support.portico import PASSWORD, Portico
from support.tenant import API, BASIC, CALLBACK, DASHBOARD, MACHINE, PUBLIC, WEB_APP, Client
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


@pytest.fixture(scope="module")
def keys(secure_portico: Portico) -> KeySet:
    return KeySet.import_key_set(Application(secure_portico).jwks())


def verify(keys: KeySet, answer: dict, issuer: str, kind: str, nonce: str) -> dict:
    """The claims of an answer's ID token, checked as Authlib checks that of a response type."""
    token = jwt.decode(answer["id_token"], keys, algorithms=["RS256"])
    bound = {name: answer.get(name) for name in ("code", "access_token")}
    claims = get_claim_cls_by_response_type(kind)(
        token.claims, token.header, {"iss": {"essential": True, "value": issuer}, "aud": {"value": DASHBOARD.id}},
        {"nonce": nonce, "client_id": DASHBOARD.id, **bound})
    claims.validate()
    return claims


def answered(portico: Portico, oauth: OAuth2Session, metadata: dict, kind: str, mode: str, nonce: str) -> dict:
    """What a person brings to the callback."""
    url, state = oauth.create_authorization_url(
        metadata["authorization_endpoint"], response_type=kind, response_mode=mode, nonce=nonce, audience=API)
    answer = Visitor(portico).sign_in(url, portico.create_user())
    assert answer["state"] == state, answer
    return answer


@pytest.mark.parametrize("mode", ["form_post", "fragment"])
@pytest.mark.parametrize("kind", ["id_token", "id_token token", "code id_token", "code token", "code id_token token"])
def test_authlib_believes_what_the_front_channel_brings(
    secure_portico: Portico, metadata: dict, keys: KeySet, kind: str, mode: str
) -> None:
    oauth = session(DASHBOARD, "client_secret_basic", metadata)
    answer = answered(secure_portico, oauth, metadata, kind, mode, "n-0S6_WzA2Mj")
    assert "refresh_token" not in answer
    subjects = set()
    if "id_token" in kind:
        subjects.add(verify(keys, answer, secure_portico.issuer, kind, "n-0S6_WzA2Mj")["sub"])
    if "access_token" in answer:
        assert answer["token_type"] == "Bearer" and answer["expires_in"] == "7200"
        oauth.token = {name: answer[name] for name in ("access_token", "token_type")}
        subjects.add(oauth.get(metadata["userinfo_endpoint"]).json()["sub"])
    if "code" in kind:
        tokens = oauth.fetch_token(metadata["token_endpoint"], code=answer["code"])
        assert tokens["access_token"] != answer.get("access_token") and tokens["refresh_token"]
        assert tokens["expires_in"] == 86400
        subjects.add(verify(keys, tokens, secure_portico.issuer, "code", "n-0S6_WzA2Mj")["sub"])
    assert len(subjects) == 1


@pytest.mark.parametrize(("swapped", "claim"), [("code", "c_hash"), ("access_token", "at_hash"), ("nonce", "nonce")])
def test_authlib_notices_that_parts_of_two_answers_are_mixed(
    secure_portico: Portico, metadata: dict, keys: KeySet, swapped: str, claim: str
) -> None:
    oauth, kind = session(DASHBOARD, "client_secret_basic", metadata), "code id_token token"
    mine, others = (
        answered(secure_portico, oauth, metadata, kind, "form_post", nonce) | {"nonce": nonce}
        for nonce in ("mine", "another"))
    mixed = mine | {swapped: others[swapped]}
    with pytest.raises(InvalidClaimError, match=claim):
        verify(keys, mixed, secure_portico.issuer, kind, mixed["nonce"])


def test_authlib_asks_what_a_token_is_worth(secure_portico: Portico, metadata: dict) -> None:
    oauth = session(BASIC, "client_secret_basic", metadata)
    tokens = sign_in(secure_portico, oauth, metadata)

    def answer(token: str) -> dict:
        return oauth.introspect_token(metadata["introspection_endpoint"], token=token).json()

    meaning = answer(tokens["access_token"])
    assert meaning["active"] is True and meaning["client_id"] == BASIC.id
    assert meaning["scope"].split() == SCOPE.split()
    assert answer(tokens["refresh_token"])["active"] is True
    oauth.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"], "refresh_token")
    assert answer(tokens["refresh_token"]) == answer("not-a-token") == {"active": False}


def test_authlib_signs_in_on_a_device_without_a_keyboard(secure_portico: Portico, metadata: dict) -> None:
    oauth = session(DASHBOARD, "client_secret_basic", metadata)
    asked = oauth.post(
        metadata["device_authorization_endpoint"], data={"scope": SCOPE, "audience": API}, withhold_token=True,
        auth=(DASHBOARD.id, DASHBOARD.secret)).json()

    def poll() -> dict:
        return oauth.fetch_token(
            metadata["token_endpoint"], grant_type="urn:ietf:params:oauth:grant-type:device_code",
            device_code=asked["device_code"])

    with pytest.raises(OAuthError, match="authorization_pending"):
        poll()
    visitor, email = Visitor(secure_portico), secure_portico.create_user()
    page = visitor.submit(visitor.open(asked["verification_uri_complete"]), action="confirm")
    page = visitor.submit(page, username=email, password=PASSWORD, action="default")
    page = visitor.submit(page, action="accept")
    assert page.status_code == 200, page.text
    time.sleep(asked["interval"])
    assert "refresh_token" in poll()
    assert oauth.get(metadata["userinfo_endpoint"]).json()["email"] == email
