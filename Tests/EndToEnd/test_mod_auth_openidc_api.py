"""mod_auth_openidc guards an API: it verifies access tokens with the server's keys, or asks the server about them."""

from collections.abc import Iterator

import pytest
import requests

from support.apache import Apache, ProtectedSite
from support.application import Application
from support.portico import Portico
from support.tenant import API, BASIC, MACHINE, Client, tenant

VERIFIES, ASKS = ProtectedSite(BASIC), ProtectedSite(BASIC)
THE_API = Client("The API itself", "api-of-the-end-to-end-tests", "secret-of-the-api-" + "a" * 46)


@pytest.fixture(scope="module")
def portico(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    """A server where the API has credentials of its own; the module wants its keys over https."""
    settings = tenant()
    settings["clients"].append({
        "name": THE_API.name, "client_id": THE_API.id, "client_secret": THE_API.secret, "app_type": "resource_server",
        "resource_server_identifier": API, "token_endpoint_auth_method": "client_secret_basic",
    })
    portico = Portico(tmp_path_factory.mktemp("api"), tls=True)
    portico.apply(settings)
    yield portico.start()
    portico.stop()


@pytest.fixture(scope="module", autouse=True)
def apache(portico: Portico) -> Iterator[Apache]:
    VERIFIES.settings["OAuthVerifyJwksUri"] = f"{portico.issuer}.well-known/jwks.json"
    ASKS.settings |= {
        "OAuthIntrospectionEndpoint": f"{portico.issuer}oauth/introspect",
        "OAuthIntrospectionEndpointAuth": "client_secret_basic",
        "OAuthClientID": THE_API.id, "OAuthClientSecret": THE_API.secret,
    }
    apache = Apache(portico, [VERIFIES, ASKS]).start()
    yield apache
    apache.stop()


def status(site: ProtectedSite, token: str) -> int:
    return requests.get(site.api, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("site", [VERIFIES, ASKS], ids=["verifies", "asks"])
def test_a_token_with_the_scope_opens_the_api(portico: Portico, site: ProtectedSite) -> None:
    of_a_user = Application(portico).tokens(portico.create_user())["access_token"]
    of_a_service = Application(portico, MACHINE).token(grant_type="client_credentials", audience=API).json()
    assert status(site, of_a_user) == status(site, of_a_service["access_token"]) == 200


@pytest.mark.parametrize("site", [VERIFIES, ASKS], ids=["verifies", "asks"])
def test_other_tokens_do_not(portico: Portico, site: ProtectedSite) -> None:
    application, email = Application(portico), portico.create_user()
    tokens = application.tokens(email, scope="openid email contacts offline_access")
    opaque = application.tokens(email, audience="", scope="openid")["access_token"]
    header, payload, signature = application.tokens(email)["access_token"].split(".")
    without_the_scope = tokens["access_token"]
    for token in [without_the_scope, tokens["id_token"], tokens["refresh_token"], opaque, "",
                  f"{header}.{payload}.{signature[:-8]}AAAAAAAA"]:
        assert status(site, token) in (401, 403), token
