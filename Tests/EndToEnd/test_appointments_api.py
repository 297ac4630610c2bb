"""The example API answers whoever brings a token, and whoever does not, as RFC 6750 says."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.application import Application
from support.portico import Portico
from support.tenant import API, MACHINE, tenant


@pytest.fixture(scope="module")
def access_token(portico: Portico) -> str:
    """A user's token with the scope appointments."""
    return Application(portico).tokens(portico.create_user())["access_token"]


def get(site, path: str, *authorization: str) -> requests.Response:
    return requests.get(site.api + path, headers={"Authorization": authorization[0]} if authorization else {})


def test_a_good_token_gets_the_appointments(site, access_token: str) -> None:
    response = get(site, "/api/appointments", f"Bearer {access_token}")
    assert response.status_code == 200 and len(response.json()) == 3
    # The name of the scheme is case-insensitive (RFC 9110 §11.1).
    assert get(site, "/api/appointments", f"bearer {access_token}").json() == response.json()


def test_a_service_gets_its_appointments_with_a_token_of_its_own(site, portico: Portico) -> None:
    tokens = Application(portico, MACHINE).token(grant_type="client_credentials", audience=API).json()
    response = get(site, "/api", f"Bearer {tokens['access_token']}")
    assert response.status_code == 200 and response.json()["sub"] == f"{MACHINE.id}@clients"


def test_no_token_is_401_without_an_error(site) -> None:
    response = get(site, "/api/appointments")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer realm=")
    assert "error=" not in response.headers["WWW-Authenticate"]


def test_a_missing_scope_is_403_and_names_the_scope(site, access_token: str) -> None:
    response = get(site, "/api/contacts", f"Bearer {access_token}")
    assert response.status_code == 403
    challenge = response.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge and 'scope="contacts"' in challenge


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", 'Bearer "quoted"', "Bearer ,"])
def test_a_malformed_header_is_400(site, header: str) -> None:
    response = get(site, "/api/appointments", header)
    assert response.status_code == 400
    assert 'error="invalid_request"' in response.headers["WWW-Authenticate"]


def test_the_id_token_is_no_access_token(site, portico: Portico) -> None:
    id_token = Application(portico).tokens(portico.create_user())["id_token"]
    _expect_invalid_token(get(site, "/api/appointments", f"Bearer {id_token}"))


def test_a_token_for_no_api_is_refused(site, portico: Portico) -> None:
    opaque = Application(portico).tokens(portico.create_user(), audience="", scope="openid")["access_token"]
    _expect_invalid_token(get(site, "/api/appointments", f"Bearer {opaque}"))


def test_forged_tokens_are_refused(site, portico: Portico, access_token: str) -> None:
    claims = jwt.decode(access_token, options={"verify_signature": False}) | {"scope": "appointments contacts"}
    kid = jwt.get_unverified_header(access_token)["kid"]
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    published = next(key for key in Application(portico).jwks()["keys"] if key["kid"] == kid)
    public_key = jwt.PyJWK(published).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header, payload, signature = access_token.split(".")
    forged = {
        "signed by a stranger": jwt.encode(claims, stranger, "RS256", headers={"kid": kid}),
        "of an unknown key": jwt.encode(claims, stranger, "RS256", headers={"kid": "unknown"}),
        "without a signature": jwt.encode(claims, None, "none", headers={"kid": kid}),
        "signed with the public key as a password": _hs256(claims, public_key, kid),
        "with another payload": f"{header}.{_encoded(claims)}.{signature}",
        "no JWT": "abc.def",
    }
    for what, token in forged.items():
        response = get(site, "/api/contacts", f"Bearer {token}")
        assert response.status_code == 401, what
        _expect_invalid_token(response)


def test_the_api_does_not_believe_another_issuer(site, new_portico) -> None:
    other = new_portico("other")
    other.apply(tenant())
    other.start()
    token = Application(other).tokens(other.create_user())["access_token"]
    _expect_invalid_token(get(site, "/api/appointments", f"Bearer {token}"))


def _expect_invalid_token(response: requests.Response) -> None:
    assert response.status_code == 401, response.text
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert response.json()["error"] == "invalid_token"


def _encoded(claims: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _hs256(claims: dict, key: bytes, kid: str) -> str:
    """The key confusion attack; PyJWT refuses to make one, so the signature is made by hand."""
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_encoded(claims)}"
    mac = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
