"""Who logs out of a site that mod_auth_openidc guards is logged out of the others: by all three ways there are."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.apache import Apache, ProtectedSite
from support.concurrency import wait_until
from support.person import Person
from support.portico import Portico
from support.tenant import BASIC, DASHBOARD, WEB_APP, tenant

LEAVING = ProtectedSite(BASIC)
TOLD_BEHIND = ProtectedSite(DASHBOARD, {"ResponseType": '"code id_token"', "ResponseMode": "form_post"})
TOLD_IN_A_FRAME = ProtectedSite(WEB_APP, {"ProviderTokenEndpointAuth": "client_secret_post"})
SITES = [LEAVING, TOLD_BEHIND, TOLD_IN_A_FRAME]


@pytest.fixture(scope="module")
def portico(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    """A server that knows how to tell each site."""
    settings = tenant(callbacks=[site.callback for site in SITES])
    clients = {client["client_id"]: client for client in settings["clients"]}
    clients[BASIC.id]["allowed_logout_urls"] = [LEAVING.url]
    clients[DASHBOARD.id]["oidc_logout"] = {"backchannel_logout_urls": [f"{TOLD_BEHIND.callback}?logout=backchannel"]}
    clients[WEB_APP.id]["frontchannel_logout_uri"] = f"{TOLD_IN_A_FRAME.callback}?logout=get"
    clients[WEB_APP.id]["frontchannel_logout_session_required"] = True
    portico = Portico(tmp_path_factory.mktemp("leaving"))
    portico.apply(settings)
    yield portico.start()
    portico.stop()


@pytest.fixture(scope="module", autouse=True)
def apache(portico: Portico) -> Iterator[Apache]:
    apache = Apache(portico, SITES).start()
    yield apache
    apache.stop()


@pytest.fixture
def signed_in(portico: Portico, browser: Browser) -> Iterator[Page]:
    """A browser with a session at every site.

    Its console may complain: in a frame, the module logs out and then forbids to show that.
    """
    page = browser.new_context().new_page()
    page.goto(LEAVING.members)
    Person(page, LEAVING.url).send_credentials(portico.create_user())
    for site in SITES:
        page.goto(site.members)
        expect(page.get_by_role("heading", name="Members")).to_be_visible()
        assert knows(page, site)
    yield page
    page.context.close()


def knows(page: Page, site: ProtectedSite) -> bool:
    """Whether the site has a session with this browser."""
    answer = page.request.get(site.facts)
    assert answer.status in (200, 401), answer.text()
    return answer.status == 200


def test_whoever_leaves_one_site_leaves_all(signed_in: Page) -> None:
    signed_in.goto(f"{LEAVING.callback}?logout={LEAVING.url}")
    expect(signed_in.get_by_role("heading", name="Everybody")).to_be_visible()
    assert signed_in.url == LEAVING.url
    for site in SITES:
        wait_until(lambda: not knows(signed_in, site), what=f"the site of {site.client.name} did not hear of it")
    # The session at the server has ended too.
    signed_in.goto(LEAVING.members)
    expect(signed_in.get_by_role("heading", name="Log in to Ledger")).to_be_visible()


def test_another_browser_stays(portico: Portico, signed_in: Page, new_page) -> None:
    other = new_page()
    other.goto(TOLD_BEHIND.members)
    Person(other, TOLD_BEHIND.url).send_credentials(portico.create_user())
    expect(other.get_by_role("heading", name="Members")).to_be_visible()
    signed_in.goto(f"{LEAVING.callback}?logout={LEAVING.url}")
    wait_until(lambda: not knows(signed_in, TOLD_BEHIND), what="the site did not hear of it")
    assert knows(other, TOLD_BEHIND)
