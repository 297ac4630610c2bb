"""Apache's mod_auth_openidc, a certified relying party, guards a site; people come with a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support.apache import Apache, ProtectedSite
from support.person import Person
from support.portico import Portico
from support.tenant import BASIC, PUBLIC, WEB_APP, Client, tenant

SITES = {
    "basic": ProtectedSite(BASIC),
    "post": ProtectedSite(WEB_APP, {"ProviderTokenEndpointAuth": "client_secret_post"}),
    "public": ProtectedSite(PUBLIC, {"ProviderTokenEndpointAuth": "none"}),
    "code in a form": ProtectedSite(BASIC, {"ResponseMode": "form_post"}),
    "wrong secret": ProtectedSite(Client(BASIC.name, BASIC.id, "not-the-secret")),
}
STRANGER = ProtectedSite(BASIC)


@pytest.fixture(scope="module")
def portico(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    """A server that knows the sites, all but the stranger."""
    portico = Portico(tmp_path_factory.mktemp("guarding"))
    portico.apply(tenant(callbacks=[site.callback for site in SITES.values()]))
    yield portico.start()
    portico.stop()


@pytest.fixture(scope="module", autouse=True)
def apache(portico: Portico) -> Iterator[Apache]:
    apache = Apache(portico.issuer, [*SITES.values(), STRANGER]).start()
    yield apache
    apache.stop()


@pytest.fixture(scope="module")
def email(portico: Portico) -> str:
    return portico.create_user(name="Grace Hopper")


def sign_in(page: Page, site: ProtectedSite, email: str) -> None:
    page.goto(site.members)
    Person(page, site.url).send_credentials(email)


@pytest.mark.parametrize("name", ["basic", "post", "public", "code in a form"])
def test_a_person_comes_in_with_a_code(portico: Portico, page: Page, email: str, name: str) -> None:
    site = SITES[name]
    sign_in(page, site, email)
    expect(page.get_by_role("heading", name="Members")).to_be_visible()
    facts = page.request.get(site.facts).json()
    assert facts["id_token"]["iss"] == portico.issuer and facts["id_token"]["aud"] == site.client.id
    assert facts["userinfo"]["email"] == email and facts["userinfo"]["sub"] == facts["id_token"]["sub"]
    assert facts["access_token"]


def test_whoever_has_a_session_at_the_server_comes_into_the_next_site_by_itself(page: Page, email: str) -> None:
    sign_in(page, SITES["basic"], email)
    page.goto(SITES["post"].members)
    expect(page.get_by_role("heading", name="Members")).to_be_visible()


def test_a_wrong_secret_lets_nobody_in(apache: Apache, page: Page, email: str) -> None:
    sign_in(page, SITES["wrong secret"], email)
    expect(page.get_by_role("heading", name="Members")).to_have_count(0)
    assert "invalid_client" in apache.news()


def test_an_unregistered_callback_is_shown_and_nobody_is_sent_there(page: Page) -> None:
    page.goto(STRANGER.members)
    expect(page.get_by_role("main")).to_contain_text("Callback URL mismatch")
    assert not page.url.startswith(STRANGER.url)
