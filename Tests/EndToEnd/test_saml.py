"""People of a SAML identity provider, pysaml2's, sign in."""

import base64
from collections.abc import Iterator

import jwt
import pytest
import requests
from saml2.xmldsig import DIGEST_SHA1, SIG_RSA_SHA1

from support.portico import Portico
from support.saml import IdentityProvider
from support.tenant import CALLBACK, WEB_APP, tenant
from support.visitor import Visitor, told

IDENTITY = {"mail": "jane@example.org", "givenName": "Jane", "sn": "Doe", "displayName": "Jane Doe"}


class Corporation:
    """A server with a connection to a provider, each of which knows the other by its metadata."""

    def __init__(self, folder, binding: str):
        self.provider = IdentityProvider(folder / "provider", binding)
        document = tenant()
        document["connections"] = [{
            "name": "corporate", "strategy": "samlp", "enabled_clients": [WEB_APP.name],
            "options": {"metadataXml": self.provider.metadata(), "signSAMLRequest": True},
        }]
        self.portico = Portico(folder)
        self.portico.apply(document)
        self.portico.start()
        self.metadata = self.portico.http_session().get(
            f"{self.portico.url}samlp/metadata?connection=corporate", timeout=20)
        self.provider.knows(self.metadata.text)

    def depart(self) -> tuple[Visitor, object, str]:
        """A browser at the provider: itself, the request that it brought, and the relay state."""
        visitor = Visitor(self.portico)
        departure = visitor.open(
            f"{self.portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={CALLBACK}"
            "&scope=openid+profile+email&state=s&connection=corporate")
        return visitor, *self.provider.request(departure)

    def arrive(self, visitor: Visitor, response: str, relay_state: str) -> requests.Response:
        """Posts an answer as the provider's page does."""
        return visitor.follow(visitor.http.post(
            f"{self.portico.url}login/callback?connection=corporate", allow_redirects=False, timeout=20, data={
                "SAMLResponse": base64.b64encode(response.encode()).decode(), "RelayState": relay_state}))

    def claims(self, answer: dict[str, str]) -> dict:
        tokens = self.portico.http_session().post(f"{self.portico.url}oauth/token", timeout=20, data={
            "grant_type": "authorization_code", "client_id": WEB_APP.id, "client_secret": WEB_APP.secret,
            "code": answer["code"], "redirect_uri": CALLBACK}).json()
        return jwt.decode(tokens["id_token"], options={"verify_signature": False})


@pytest.fixture(scope="module")
def corporation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corporation]:
    corporation = Corporation(tmp_path_factory.mktemp("saml"), "redirect")
    yield corporation
    corporation.portico.stop()


@pytest.mark.parametrize("signing", [{}, {"sign_response": True}, {"sign_response": True, "sign_assertion": False}])
def test_a_person_of_a_saml_provider_signs_in(corporation: Corporation, signing: dict) -> None:
    visitor, request, state = corporation.depart()
    page = corporation.arrive(visitor, corporation.provider.answer(request, "jane-1", IDENTITY, **signing), state)
    known = corporation.claims(told(page))
    assert known["sub"] == "samlp|corporate|jane-1"
    assert known["email"] == "jane@example.org" and known["email_verified"] is False
    assert (known["given_name"], known["family_name"], known["name"]) == ("Jane", "Doe", "Jane Doe")


def test_requests_travel_by_post_as_well(tmp_path) -> None:
    corporation = Corporation(tmp_path, "post")
    try:
        visitor, request, state = corporation.depart()
        page = corporation.arrive(visitor, corporation.provider.answer(request, "joe-1", IDENTITY), state)
        assert corporation.claims(told(page))["sub"] == "samlp|corporate|joe-1"
    finally:
        corporation.portico.stop()


def test_an_answer_is_good_once_and_in_the_browser_that_asked(corporation: Corporation) -> None:
    visitor, request, state = corporation.depart()
    response = corporation.provider.answer(request, "jane-1", IDENTITY)
    stranger, _, _ = corporation.depart()
    assert corporation.arrive(stranger, response, state).status_code == 400
    assert "code" in told(corporation.arrive(visitor, response, state))
    assert corporation.arrive(visitor, response, state).status_code == 400
    # Nor is it an answer to another request of the same browser.
    visitor, _, state = corporation.depart()
    assert told(corporation.arrive(visitor, response, state))["error"] == "access_denied"


def test_nobody_is_signed_in_who_has_not_asked(corporation: Corporation) -> None:
    _, request, _ = corporation.depart()
    response = corporation.provider.answer(request, "jane-1", IDENTITY)
    page = corporation.arrive(Visitor(corporation.portico), response, "")
    assert page.status_code == 400 and not page.is_redirect


@pytest.mark.parametrize(("change", "signing"), [
    (lambda text: text.replace("jane-1", "admin-1"), {}),
    (lambda text: text.replace("jane@example.org", "admin@example.org"), {}),
    (lambda text: text.replace("jane-1", "jane<!-- -->-1"), {}),
    (lambda text: "<!DOCTYPE a [<!ENTITY b 'c'>]>" + text.partition("?>")[2], {}),
    (lambda text: text, {"sign_assertion": False}),
    (lambda text: text, {"sign_alg": SIG_RSA_SHA1, "digest_alg": DIGEST_SHA1}),
], ids=["name", "attribute", "comment", "document type", "unsigned", "sha1"])
def test_an_answer_that_proves_nothing_is_refused(corporation: Corporation, change, signing: dict) -> None:
    visitor, request, state = corporation.depart()
    response = corporation.provider.answer(request, "jane-1", IDENTITY, **signing)
    answer = told(corporation.arrive(visitor, change(response), state))
    assert answer["error"] == "access_denied" and "code" not in answer
    assert "cannot be trusted" in answer["error_description"]
