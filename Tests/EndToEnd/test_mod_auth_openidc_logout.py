"""Apache's mod_auth_openidc logs out at the server, and hears of logouts in the back and in the front channel."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.apache import Apache, ProtectedSite
from support.person import Person
from support.portico import Portico
from support.tenant import BASIC, DASHBOARD, WEB_APP, tenant

# Cookies do not know ports: each site has names of its own for its cookies.
STARTER = ProtectedSite(WEB_APP, {"Cookie": "starter", "ProviderTokenEndpointAuth": "client_secret_post"})
BACK = ProtectedSite(BASIC, {"Cookie": "back"})
FRONT = ProtectedSite(DASHBOARD, {"Cookie": "front"})
SITES = [STARTER, BACK, FRONT]


@pytest.fixture(scope="module")
def portico(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    portico = Portico(tmp_path_factory.mktemp("logging-out"))
    made = tenant(callbacks=[site.callback for site in SITES])
    clients = {client["client_id"]: client for client in made["clients"]}
    clients[STARTER.client.id]["allowed_logout_urls"].append(STARTER.url)
    clients[BACK.client.id]["backchannel_logout_uri"] = f"{BACK.callback}?logout=backchannel"
    clients[FRONT.client.id]["frontchannel_logout_uri"] = f"{FRONT.callback}?logout=get"
    clients[FRONT.client.id]["frontchannel_logout_session_required"] = True
    portico.apply(made)
    yield portico.start()
    portico.stop()


@pytest.fixture(scope="module", autouse=True)
def apache(portico: Portico) -> Iterator[Apache]:
    apache = Apache(portico.issuer, SITES).start()
    yield apache
    apache.stop()


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """A window whose complaints do not count: the module forgets its visitor in the frame, and denies to be shown in it."""
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


def expect_inside(page: Page, site: ProtectedSite) -> None:
    page.goto(site.members)
    expect(page.get_by_role("heading", name="Members")).to_be_visible()


def is_inside(page: Page, site: ProtectedSite) -> bool:
    """Whether the site still knows its visitor, by itself."""
    return not page.request.get(site.members, max_redirects=0).status in (302, 303)


def test_a_logout_at_one_site_reaches_the_others(portico: Portico, window: Page) -> None:
    email = portico.create_user()
    window.goto(STARTER.members)
    Person(window, STARTER.url).send_credentials(email)
    expect(window.get_by_role("heading", name="Members")).to_be_visible()
    expect_inside(window, BACK)
    expect_inside(window, FRONT)
    assert all(is_inside(window, site) for site in SITES)

    window.goto(f"{STARTER.callback}?logout={STARTER.url}", wait_until="commit")
    window.wait_for_url(STARTER.url)
    expect(window.get_by_role("heading", name="Everybody")).to_be_visible()
    assert not is_inside(window, STARTER)
    assert not is_inside(window, FRONT)
    deadline = time.monotonic() + 10
    while is_inside(window, BACK) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_inside(window, BACK)
    window.goto(BACK.members)
    expect(window.get_by_role("heading", name="Log in to Ledger")).to_be_visible()
