"""PyJWT verifies both tokens with nothing but the address of the keys."""

import jwt
import pytest

from support.application import Application
from support.portico import Portico
from support.tenant import API, WEB_APP


@pytest.fixture(scope="module")
def keys(portico: Portico) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(f"{portico.issuer}.well-known/jwks.json")


@pytest.fixture(scope="module")
def email(portico: Portico) -> str:
    return portico.create_user(name="Ada Lovelace")


@pytest.fixture(scope="module")
def tokens(portico: Portico, email: str) -> dict:
    return Application(portico).tokens(email, nonce="n-0S6_WzA2Mj")


def test_the_id_token_verifies(portico: Portico, keys: jwt.PyJWKClient, tokens: dict, email: str) -> None:
    token = tokens["id_token"]
    claims = jwt.decode(
        token, keys.get_signing_key_from_jwt(token).key, algorithms=["RS256"], audience=WEB_APP.id,
        issuer=portico.issuer, options={"require": ["exp", "iat", "iss", "sub", "aud"]})
    assert claims["email"] == email and claims["name"] == "Ada Lovelace" and claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["exp"] - claims["iat"] == 36000


@pytest.mark.parametrize("audience", [API, "userinfo"])
def test_the_access_token_verifies(portico: Portico, keys: jwt.PyJWKClient, tokens: dict, audience: str) -> None:
    token = tokens["access_token"]
    claims = jwt.decode(
        token, keys.get_signing_key_from_jwt(token).key, algorithms=["RS256"],
        audience=audience if audience == API else f"{portico.issuer}userinfo", issuer=portico.issuer)
    assert claims["azp"] == WEB_APP.id and "appointments" in claims["scope"].split()
    assert claims["sub"].startswith("auth0|")


def test_a_token_with_another_payload_does_not_verify(portico: Portico, keys: jwt.PyJWKClient, tokens: dict) -> None:
    header, payload, signature = tokens["access_token"].split(".")
    forged = ".".join([header, payload[:-2] + ("A" if payload[-2] != "A" else "B") + payload[-1], signature])
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(
            forged, keys.get_signing_key_from_jwt(tokens["access_token"]).key, algorithms=["RS256"], audience=API)


def test_every_key_can_be_used_and_none_has_a_private_part(application: Application) -> None:
    published = application.jwks()["keys"]
    assert len({key["kid"] for key in published}) == len(published) >= 2
    for key in published:
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)
        assert jwt.PyJWK(key).key.key_size >= 2048
