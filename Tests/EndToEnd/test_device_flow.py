"""A television without a browser, and a person with one: the device flow over a network."""

import time
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from support.person import expect_no_sideways_scrolling
from support.portico import PASSWORD, Portico
from support.tenant import API, WEB_APP, Client, tenant

TELEVISION = Client("Television", "television-of-the-end-to-end-tests")
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Television:
    """A program that shows a code and asks from time to time, as RFC 8628 §3.5 tells it to."""

    def __init__(self, portico: Portico):
        self.issuer = portico.issuer
        answer = requests.post(
            f"{self.issuer}oauth/device/code",
            data={"client_id": TELEVISION.id, "scope": "openid email offline_access", "audience": API}, timeout=10)
        answer.raise_for_status()
        self.code = answer.json()
        self.interval = self.code["interval"]

    def poll(self) -> requests.Response:
        form = {"grant_type": GRANT, "device_code": self.code["device_code"], "client_id": TELEVISION.id}
        return requests.post(f"{self.issuer}oauth/token", data=form, timeout=10)

    def wait(self, seconds: float = 60) -> requests.Response:
        """Polls until a user has decided."""
        end = time.monotonic() + seconds
        while True:
            answer = self.poll()
            error = answer.json().get("error")
            if error == "slow_down":
                self.interval += 5
            if error not in ("authorization_pending", "slow_down") or time.monotonic() > end:
                return answer
            time.sleep(self.interval)


@pytest.fixture(scope="module")
def living_room(tmp_path_factory: pytest.TempPathFactory):
    """A server of this module's own, so that its wrong codes count against nobody else."""
    portico = Portico(tmp_path_factory.mktemp("living-room"))
    settings = tenant()
    settings["clients"].append({
        "name": TELEVISION.name, "client_id": TELEVISION.id, "app_type": "native", "is_first_party": True,
        "token_endpoint_auth_method": "none", "grant_types": [GRANT, "refresh_token"],
    })
    settings["databases"][0]["enabled_clients"].append(TELEVISION.name)
    portico.apply(settings)
    yield portico.start()
    portico.stop()


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_television_is_connected_by_typing_its_code(
    living_room: Portico, new_page: Callable[..., Page], javascript: bool
) -> None:
    television = Television(living_room)
    assert television.poll().json()["error"] == "authorization_pending"
    assert television.poll().json()["error"] == "slow_down"
    television.interval += 5

    page = new_page(java_script_enabled=javascript)
    page.goto(television.code["verification_uri"])
    expect(page.get_by_role("heading", name="Device Activation")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill("BBBB-BBBB")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Invalid or expired user code")
    page.get_by_label("Code").fill(television.code["user_code"].lower().replace("-", " "))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Device Confirmation")).to_be_visible()
    expect(page.get_by_text(television.code["user_code"])).to_be_visible()
    expect(page.get_by_text(TELEVISION.name)).to_be_visible()
    expect_no_sideways_scrolling(page)
    page.get_by_role("button", name="Yes, this is the code").click()
    email = living_room.create_user()
    sign_in(page, email)
    expect(page.get_by_role("heading", name="Authorize App")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="Congratulations, you're all set!")).to_be_visible()

    answer = television.wait()
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    user = requests.get(
        f"{living_room.issuer}userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=10)
    assert user.json()["email"] == email
    refreshed = requests.post(
        f"{living_room.issuer}oauth/token", timeout=10,
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": TELEVISION.id})
    assert refreshed.status_code == 200, refreshed.text
    assert television.poll().json()["error"] == "invalid_grant"


def test_the_complete_address_leads_to_the_confirmation_and_a_stranger_can_cancel(
    living_room: Portico, new_page: Callable[..., Page]
) -> None:
    television = Television(living_room)
    page = new_page(viewport={"width": 320, "height": 568}, color_scheme="dark")
    page.goto(television.code["verification_uri_complete"])
    expect(page.get_by_role("heading", name="Device Confirmation")).to_be_visible()
    expect_no_sideways_scrolling(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Your device was not connected")).to_be_visible()
    assert television.poll().json()["error"] == "access_denied"
    page.get_by_role("link", name="Enter another code").click()
    expect(page.get_by_role("heading", name="Device Activation")).to_be_visible()
    expect_no_sideways_scrolling(page)


def test_a_client_asks_what_a_token_is_worth(living_room: Portico) -> None:
    answer = requests.post(
        f"{living_room.issuer}oauth/introspect", auth=(WEB_APP.id, WEB_APP.secret), data={"token": "none"}, timeout=10)
    assert answer.status_code == 200 and answer.json() == {"active": False}
