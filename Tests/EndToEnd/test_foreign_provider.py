"""Canaille, an OpenID provider that other people have written, as the place where users come from."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import jwt
import pytest
import requests

from support.application import Application
from support.portico import Portico
from support.programs import REPOSITORY, Program, environment, free_ports
from support.tenant import BASIC, CALLBACK, tenant

SCRIPT = REPOSITORY / "Tests" / "EndToEnd" / "support" / "canaille_server.py"
# As the script has them; it runs in a process of its own, which alone needs Canaille.
CLIENT_ID, CLIENT_SECRET = "portico-at-canaille", "canaille-secret-of-the-end-to-end-tests"
USER, PASSWORD = "kim", "Correct-Horse-1937-Battery"


@pytest.fixture
def canaille(new_portico: Callable[..., Portico], tmp_path: Path) -> Iterator[tuple[str, Portico]]:
    """Canaille's issuer with Portico as its client, and the Portico with a connection to it."""
    port, portico = free_ports(1)[0], new_portico()
    issuer = f"http://127.0.0.1:{port}"
    program = Program(
        "canaille", [sys.executable, str(SCRIPT), str(port), f"{portico.issuer}login/callback"], environment(),
        tmp_path / "canaille.log", f"{issuer}/.well-known/openid-configuration")
    program.start()
    portico.apply(tenant() | {"connections": [{
        "name": "canaille", "strategy": "oidc", "enabled_clients": [BASIC.name],
        "options": {"type": "back_channel", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    }]})
    portico.start()
    yield issuer, portico
    program.stop()


class Walk:
    """A browser without windows: it keeps cookies, follows redirects, and stops where the application listens."""

    def __init__(self) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.visited: list[str] = []

    def follow(self, url: str) -> requests.Response:
        response = self.http.get(url, allow_redirects=False, timeout=30)
        return self._follow(response)

    def send(self, page: requests.Response, **fields: str) -> requests.Response:
        """Fills in the page's form."""
        token = re.search(r'name="csrf_token" value="([^"]*)"', page.text).group(1)
        return self._follow(self.http.post(
            page.url, data={"csrf_token": token, **fields}, allow_redirects=False, timeout=30))

    def _follow(self, response: requests.Response) -> requests.Response:
        while response.is_redirect and not response.headers["Location"].startswith(CALLBACK):
            self.visited.append(urljoin(response.url, response.headers["Location"]))
            response = self.http.get(self.visited[-1], allow_redirects=False, timeout=30)
        return response


def test_users_of_canaille_sign_in_and_its_answers_are_good_once(canaille: tuple[str, Portico]) -> None:
    issuer, portico = canaille
    application, walk = Application(portico, BASIC), Walk()
    url = application.authorization_url(scope="openid profile email", audience="", connection="canaille")
    page = walk.follow(url)
    assert page.url.startswith(f"{issuer}/"), page.text
    page = walk.send(page, login=USER)
    answer = walk.send(page, password=PASSWORD)
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert parameters["state"] == "xyzABC123", parameters
    tokens = application.redeem(parameters["code"]).json()
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["sub"] == f"oidc|canaille|{USER}"
    assert (claims["name"], claims["email"]) == ("Kim Canaille", "kim@canaille.example")
    # Canaille does not say that it has verified the address.
    assert claims["email_verified"] is False

    # What the browser came back with is worth nothing now, in this browser and in any other.
    back = next(url for url in walk.visited if "/login/callback?" in url)
    assert walk.follow(back).status_code == Walk().follow(back).status_code == 400
