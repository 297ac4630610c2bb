"""Relying parties that nobody has configured register themselves, where the tenant allows it, and sign people in."""

import json
from collections.abc import Iterator

import pytest
from idpyoidc.client.rp_handler import RPHandler

from support.apache import Apache, ProtectedSite
from support.portico import Portico
from support.relying_party import RelyingParty, ruby
from support.tenant import CALLBACK, Client, tenant
from support.visitor import Form, Visitor

UNREGISTERED = Client("Nobody knows it", "")


@pytest.fixture(scope="module")
def portico(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    """A server over https where everybody may register an application."""
    settings = tenant()
    settings["tenant"]["flags"] = {"enable_dynamic_client_registration": True}
    settings["databases"][0]["is_domain_connection"] = True
    portico = Portico(tmp_path_factory.mktemp("open"), tls=True)
    portico.apply(settings)
    yield portico.start()
    portico.stop()


@pytest.fixture(scope="module")
def email(portico: Portico) -> str:
    return portico.create_user(name="Radia Perlman")


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(("kind", "mode"), [("code", "query"), ("code id_token", "form_post")])
def test_idpyoidc_registers_itself(portico: Portico, email: str, kind: str, mode: str) -> None:
    party = RPHandler(
        "https://app.example.com", {"": {
            "client_type": "oidc", "redirect_uris": [CALLBACK], "scopes_supported": ["openid", "email"],
            "response_types_supported": [kind], "response_modes_supported": [mode],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "client_authn_methods": ["client_secret_basic"],
        }}, httpc_params={"verify": str(portico.ca)},
        key_conf={"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]})
    known = party.finalize(portico.issuer, Visitor(portico).sign_in(party.begin(portico.issuer), email))
    client_id = party.issuer2rp[portico.issuer].get_client_id()
    assert known["userinfo"]["email"] == email and known["id_token"]["aud"] == [client_id]


def test_mod_auth_openidc_registers_itself(portico: Portico, email: str) -> None:
    # It would register for the implicit grant too, which no web application on localhost may have (OpenID Connect
    # Registration §2).
    code_alone = json.dumps({"response_types": ["code"], "grant_types": ["authorization_code"]})
    site = ProtectedSite(
        None, {"ResponseMode": "form_post", "ProviderRegistrationEndpointJson": f"'{code_alone}'"}, scheme="https")
    apache = Apache(portico, [site]).start()
    try:
        visitor = Visitor(portico)
        visitor.http.verify = str(apache.ca)
        # The module asks which provider the visitor has an account at.
        question = Form(visitor.http.get(site.members).text).fields
        begin = visitor.http.get(site.callback, params=question | {"iss": portico.issuer}, allow_redirects=False)
        answer = visitor.sign_in(begin.headers["Location"], email)
        accepted = visitor.http.post(site.callback, data=answer, allow_redirects=False)
        assert accepted.headers["Location"] == site.members
        assert visitor.http.get(site.facts).json()["userinfo"]["email"] == email
    finally:
        apache.stop()


def test_rubys_openid_connect_registers_itself(portico: Portico, email: str) -> None:
    with RelyingParty(portico, ruby("openid_connect"), UNREGISTERED) as party:
        believed = party.finish(Visitor(portico).sign_in(party.url(), email))
    assert believed["userinfo"]["email"] == email
