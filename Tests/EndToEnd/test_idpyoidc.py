"""idpyoidc, the library that OpenID's own relying party tests were written with, signs people in."""

import jwt
import pytest
from idpyoidc.client.exception import OidcServiceError
from idpyoidc.client.rp_handler import RPHandler
from idpyoidc.message.oidc import AtHashError, CHashError

from support.portico import Portico
from support.tenant import API, BASIC, CALLBACK, DASHBOARD, WEB_APP, Client
from support.visitor import Visitor

# Its library for keys verifies no certificate of localhost.
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

PKCE = {"pkce": {
    "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
}}


# One for each test: somebody who logs in too often in a short time has to wait.
@pytest.fixture
def email(secure_portico: Portico) -> str:
    return secure_portico.create_user(name="Katherine Johnson")


def handler(portico: Portico, client: Client, method: str, response_type: str = "code", **settings) -> RPHandler:
    """A relying party that finds out by itself what the server can do."""
    config = {
        "client_type": "oidc", "issuer": portico.issuer, "client_id": client.id, "redirect_uris": [CALLBACK],
        "scopes_supported": ["openid", "profile", "email"], "response_types_supported": [response_type],
        "token_endpoint_auth_methods_supported": [method], "client_authn_methods": [method], **settings,
    }
    if client.secret:
        config["client_secret"] = client.secret
    return RPHandler(
        "https://app.example.com", {portico.issuer: config}, httpc_params={"verify": str(portico.ca)},
        key_conf={"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]})


def sign_in(portico: Portico, party: RPHandler, email: str) -> dict:
    """What the relying party knows of a person who has been at the server."""
    url = party.begin(portico.issuer)
    return party.finalize(portico.issuer, Visitor(portico).sign_in(url, email))


@pytest.mark.parametrize(
    ("client", "method"),
    [(BASIC, "client_secret_basic"), (WEB_APP, "client_secret_post")])
def test_idpyoidc_signs_a_person_in(secure_portico: Portico, email: str, client: Client, method: str) -> None:
    known = sign_in(secure_portico, handler(secure_portico, client, method), email)
    assert known["userinfo"]["email"] == email and known["issuer"] == secure_portico.issuer
    assert known["id_token"]["aud"] == [client.id] and known["id_token"]["sub"] == known["userinfo"]["sub"]


def test_idpyoidc_signs_a_person_in_with_pkce(secure_portico: Portico, email: str) -> None:
    party = handler(secure_portico, BASIC, "client_secret_basic", add_ons=PKCE)
    assert "code_challenge=" in party.begin(secure_portico.issuer)
    assert sign_in(secure_portico, party, email)["userinfo"]["email"] == email


@pytest.mark.parametrize("mode", ["form_post", "fragment"])
@pytest.mark.parametrize("kind", [
    "id_token", "id_token token", "code id_token", "code token", "code id_token token",
])
def test_idpyoidc_signs_a_person_in_with_what_the_front_channel_brings(
    secure_portico: Portico, email: str, kind: str, mode: str
) -> None:
    party = handler(
        secure_portico, DASHBOARD, "client_secret_basic", kind, response_modes_supported=[mode])
    known = sign_in(secure_portico, party, email)
    assert known["userinfo"]["email"] == email


@pytest.mark.parametrize(("swapped", "complaint"), [
    ("code", CHashError), ("access_token", AtHashError), ("id_token", AtHashError),
])
def test_idpyoidc_refuses_parts_of_two_answers(
    secure_portico: Portico, email: str, swapped: str, complaint: type[Exception]
) -> None:
    party = handler(
        secure_portico, DASHBOARD, "client_secret_basic", "code id_token token", response_modes_supported=["form_post"])
    mine, others = (
        Visitor(secure_portico).sign_in(party.begin(secure_portico.issuer), email) for _ in range(2))
    with pytest.raises(complaint):
        party.finalize(secure_portico.issuer, mine | {swapped: others[swapped]})
    assert party.finalize(secure_portico.issuer, others)["userinfo"]["email"] == email


def test_idpyoidc_gets_a_token_that_is_bound_to_its_key(secure_portico: Portico, email: str) -> None:
    # Not for the user information: what it calls the token's hash there is not that of RFC 9449 §4.2.
    party = handler(secure_portico, BASIC, "client_secret_basic", add_ons={"dpop": {
        "function": "idpyoidc.client.oauth2.add_on.dpop.add_support",
        "kwargs": {"dpop_signing_alg_values_supported": ["ES256"], "with_dpop_header": ["accesstoken"]},
    }})
    url = party.begin(secure_portico.issuer, req_args={"audience": API})
    answer = Visitor(secure_portico).sign_in(url, email)
    client = party.issuer2rp[secure_portico.issuer]
    client.finalize_auth(answer)
    tokens = client.get_tokens(answer["state"])
    assert tokens["token_type"] == "DPoP"
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    key = client.get_context().add_on["dpop"]["key"]
    assert claims["cnf"]["jkt"] == key.thumbprint("SHA-256").decode()


def test_idpyoidc_hears_that_its_secret_is_wrong(secure_portico: Portico, email: str) -> None:
    impostor = Client(BASIC.name, BASIC.id, "not-the-secret-of-the-ledger")
    with pytest.raises(OidcServiceError, match="invalid_client"):
        sign_in(secure_portico, handler(secure_portico, impostor, "client_secret_basic"), email)
