"""Apache's mod_auth_openidc, a certified relying party, guards a site; people come with a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support.apache import Apache, ProtectedSite
from support.person import Person
from support.portico import Portico
from support.tenant import BASIC, DASHBOARD, PUBLIC, WEB_APP, Client, tenant
from support.visitor import Visitor

SITES = {
    "basic": ProtectedSite(BASIC),
    "post": ProtectedSite(WEB_APP, {"ProviderTokenEndpointAuth": "client_secret_post"}),
    "public": ProtectedSite(PUBLIC, {"ProviderTokenEndpointAuth": "none"}),
    "code in a form": ProtectedSite(BASIC, {"ResponseMode": "form_post"}),
    "wrong secret": ProtectedSite(Client(BASIC.name, BASIC.id, "not-the-secret")),
}
# What brings tokens to the browser, and the hashes in the ID token that bind the rest of the answer to it.
FRONT_CHANNEL = {
    "id_token": set(), "id_token token": {"at_hash"}, "code id_token": {"c_hash"}, "code token": set(),
    "code id_token token": {"at_hash", "c_hash"},
}
SITES |= {
    (kind, mode): ProtectedSite(DASHBOARD, {"ResponseType": f'"{kind}"', "ResponseMode": mode})
    for kind in FRONT_CHANNEL for mode in ("form_post", "fragment")
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
    apache = Apache(portico, [*SITES.values(), STRANGER]).start()
    yield apache
    apache.stop()


# One for each test: somebody who logs in too often in a short time has to wait.
@pytest.fixture
def email(portico: Portico) -> str:
    return portico.create_user(name="Grace Hopper")


def sign_in(page: Page, site: ProtectedSite, email: str) -> None:
    page.goto(site.members)
    Person(page, site.url).send_credentials(email)


def answered(portico: Portico, site: ProtectedSite, email: str) -> tuple[Visitor, dict[str, str]]:
    """Somebody who comes back from the server, and what they bring to the site's callback."""
    visitor = Visitor(portico)
    there = visitor.http.get(site.members, allow_redirects=False).headers["Location"]
    return visitor, visitor.sign_in(there, email)


@pytest.mark.parametrize("name", ["basic", "post", "public", "code in a form"])
def test_a_person_comes_in_with_a_code(portico: Portico, page: Page, email: str, name: str) -> None:
    site = SITES[name]
    sign_in(page, site, email)
    expect(page.get_by_role("heading", name="Members")).to_be_visible()
    facts = page.request.get(site.facts).json()
    assert facts["id_token"]["iss"] == portico.issuer and facts["id_token"]["aud"] == site.client.id
    assert facts["userinfo"]["email"] == email and facts["userinfo"]["sub"] == facts["id_token"]["sub"]
    assert facts["access_token"]


@pytest.mark.parametrize(("kind", "mode"), [
    *((kind, "form_post") for kind in FRONT_CHANNEL), ("id_token", "fragment"), ("code id_token token", "fragment"),
])
def test_a_person_comes_in_with_what_the_front_channel_brings(page: Page, email: str, kind: str, mode: str) -> None:
    site = SITES[kind, mode]
    sign_in(page, site, email)
    expect(page.get_by_role("heading", name="Members")).to_be_visible()
    facts = page.request.get(site.facts).json()
    assert facts["id_token"]["aud"] == site.client.id and facts["id_token"]["email"] == email
    assert {"at_hash", "c_hash"} & set(facts["id_token"]) == FRONT_CHANNEL[kind]
    # Who asks for an ID token alone gets nothing that opens the user information.
    assert ("access_token" in facts) == (kind != "id_token") and ("userinfo" in facts) == (kind != "id_token")


@pytest.mark.parametrize("swapped", ["code", "access_token", "id_token", "state"])
def test_parts_of_two_answers_let_nobody_in(portico: Portico, email: str, swapped: str) -> None:
    site = SITES["code id_token token", "form_post"]
    (attacker, answer), (owner, whole) = answered(portico, site, email), answered(portico, site, email)
    refused = attacker.http.post(
        site.callback, data=answer | {swapped: whole[swapped]}, allow_redirects=False)
    assert not refused.is_redirect and "Members" not in refused.text
    accepted = owner.http.post(site.callback, data=whole, allow_redirects=False)
    assert accepted.headers["Location"] == site.members


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
