"""Relying parties that nobody has configured register themselves, where the tenant allows it, and sign people in."""

import json
from collections.abc import Iterator

import pytest

from support.apache import Apache, ProtectedSite
from support.portico import Portico
from support.relying_party import RelyingParty, ruby
from support.tenant import Client, tenant
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
