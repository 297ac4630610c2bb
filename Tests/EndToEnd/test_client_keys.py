"""Applications that sign what they say at the token endpoint: with a key of their own, or with their secret."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from auth0.authentication import GetToken
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.apache import Apache, ProtectedSite
from support.portico import Portico
from support.tenant import API, CALLBACK, Client, tenant
from support.visitor import Visitor

VAULT = Client("Vault", "vault-of-the-end-to-end-tests")
SAFE = Client("Safe", "safe-of-the-end-to-end-tests", "secret-of-the-safe-" + "s" * 45)
SITE = ProtectedSite(SAFE, {"ResponseMode": "form_post", "ProviderTokenEndpointAuth": "client_secret_jwt"})


@dataclass(frozen=True)
class KeyPair:
    """Both parts in PEM."""

    private: str
    public: str

    @staticmethod
    def new() -> "KeyPair":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return KeyPair(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return KeyPair.new()


@pytest.fixture(scope="module")
def portico(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair) -> Iterator[Portico]:
    """A server that knows the application's public key."""
    settings = tenant()
    common = {
        "app_type": "regular_web", "oidc_conformant": True, "is_first_party": True,
        "callbacks": [CALLBACK, SITE.callback],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    }
    settings["clients"].append({
        **common, "name": SAFE.name, "client_id": SAFE.id, "client_secret": SAFE.secret,
        "token_endpoint_auth_method": "client_secret_jwt",
    })
    settings["clients"].append({
        **common, "name": VAULT.name, "client_id": VAULT.id,
        "client_authentication_methods": {"private_key_jwt": {"credentials": [
            {"name": "the first", "credential_type": "public_key", "alg": "RS256", "pem": keys.public}]}},
    })
    settings["clientGrants"].append({"client_id": VAULT.name, "audience": API, "scope": ["appointments"]})
    settings["databases"][0]["enabled_clients"] += [VAULT.name, SAFE.name]
    portico = Portico(tmp_path_factory.mktemp("keys"), tls=True)
    portico.apply(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(portico.ca))
        yield portico.start()
    portico.stop()


def test_auth0s_sdk_gets_a_token_for_a_service(portico: Portico, keys: KeyPair) -> None:
    tokens = GetToken(portico.domain, VAULT.id, client_assertion_signing_key=keys.private).client_credentials(API)
    assert tokens["scope"] == "appointments"


def test_authlib_redeems_a_code_and_another_key_does_not(portico: Portico, keys: KeyPair) -> None:
    endpoint, email = f"{portico.issuer}oauth/token", portico.create_user()

    def session(key: str, lifetime: int = 60) -> OAuth2Session:
        oauth = OAuth2Session(
            VAULT.id, key, token_endpoint_auth_method="private_key_jwt", scope="openid email", redirect_uri=CALLBACK)
        oauth.register_client_auth_method(PrivateKeyJWT(endpoint, claims={"exp": int(time.time()) + lifetime}))
        return oauth

    url, _ = session(keys.private).create_authorization_url(f"{portico.issuer}authorize")
    code = Visitor(portico).sign_in(url, email)["code"]
    with pytest.raises(OAuthError, match="invalid_client"):
        session(KeyPair.new().private).fetch_token(endpoint, code=code)
    # An hour is what Authlib takes by itself, and more than the server believes a piece of paper.
    with pytest.raises(OAuthError, match="more than 300 seconds ahead"):
        session(keys.private, lifetime=3600).fetch_token(endpoint, code=code)
    assert "id_token" in session(keys.private).fetch_token(endpoint, code=code)


def test_mod_auth_openidc_signs_with_its_secret(portico: Portico) -> None:
    apache = Apache(portico, [SITE]).start()
    try:
        visitor, email = Visitor(portico), portico.create_user()
        there = visitor.http.get(SITE.members, allow_redirects=False).headers["Location"]
        accepted = visitor.http.post(SITE.callback, data=visitor.sign_in(there, email), allow_redirects=False)
        assert accepted.headers.get("Location") == SITE.members, accepted.text
        assert visitor.http.get(SITE.facts).json()["userinfo"]["email"] == email
    finally:
        apache.stop()
