"""People sign in with accounts that they have elsewhere: at GitHub, and at a second Portico as any provider of OpenID Connect."""

import re
from collections.abc import Callable, Iterator

import jwt
import pytest
from playwright.sync_api import Page, expect

from support import github
from support.application import Application
from support.callback import Callback
from support.portico import PASSWORD, Portico
from support.programs import free_ports
from support.tenant import BASIC, tenant

HEADING = f"Log in to {BASIC.name}"
PROFILE_SCRIPT = """function (accessToken, ctx, cb) {
  const headers = { Authorization: 'Bearer ' + accessToken, 'User-Agent': 'Portico' };
  request.get({ url: 'GITHUB/api/v3/user', headers }, (err, resp, body) => {
    if (err) return cb(err);
    if (resp.statusCode !== 200) return cb(new Error('answered ' + resp.statusCode));
    const user = JSON.parse(body);
    cb(null, { user_id: user.id, nickname: user.login, name: ctx.token_type + ' ' + user.name });
  });
}
"""


class Place:
    """A Portico whose users may also come from GitHub and from another Portico."""

    def __init__(self, new_portico: Callable[..., Portico]):
        self.callback = Callback()
        self.portico = new_portico("downstream")
        self.github = github.GitHub(f"{self.portico.issuer}login/callback")
        # Cookies belong to hosts and not to ports: the other server has a host of its own.
        port = free_ports(1)[0]
        self.upstream = new_portico("upstream", port=port, issuer=f"http://127.0.0.1:{port}/")
        self.upstream.apply(tenant(callbacks=[f"{self.portico.issuer}login/callback"]))
        self.upstream.start()
        self.portico.apply(tenant(callbacks=[self.callback.url]) | {"connections": self._connections()})
        self.portico.start()
        self.application = Application(self.portico, BASIC, self.callback.url)

    def _connections(self) -> list[dict]:
        return [
            {
                "name": "github", "strategy": "github", "enabled_clients": [BASIC.name],
                "options": {
                    "client_id": github.CLIENT_ID, "client_secret": github.CLIENT_SECRET,
                    "base_url": self.github.url, "scope": ["user:email"],
                },
            },
            {
                "name": "clinic", "strategy": "oidc", "display_name": "the Clinic", "enabled_clients": [BASIC.name],
                "options": {
                    "type": "back_channel", "issuer": self.upstream.issuer, "client_id": BASIC.id,
                    "client_secret": BASIC.secret,
                },
            },
            {
                "name": "custom", "strategy": "oauth2", "enabled_clients": [BASIC.name],
                "options": {
                    "authorizationURL": f"{self.github.url}/login/oauth/authorize",
                    "tokenURL": f"{self.github.url}/login/oauth/access_token", "scope": "user:email",
                    "client_id": github.CLIENT_ID, "client_secret": github.CLIENT_SECRET,
                    "scripts": {"fetchUserProfile": PROFILE_SCRIPT.replace("GITHUB", self.github.url)},
                },
            },
        ]

    def authorization_url(self, **parameters: str) -> str:
        return self.application.authorization_url(scope="openid profile email", audience="", **parameters)

    def id_token(self) -> dict:
        """The claims that the application gets for what the browser has brought."""
        _, answer = self.callback.take()
        assert "code" in answer, answer
        tokens = self.application.redeem(answer["code"]).json()
        return jwt.decode(tokens["id_token"], options={"verify_signature": False})

    def stop(self) -> None:
        self.callback.stop()
        self.github.stop()


@pytest.fixture
def place(new_portico: Callable[..., Portico]) -> Iterator[Place]:
    place = Place(new_portico)
    yield place
    place.stop()


def test_people_sign_in_with_github_and_with_another_portico(place: Place, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(place.authorization_url())
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Continue with the Clinic")).to_be_visible()
    page.get_by_role("button", name="Continue with GitHub").click()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    claims = place.id_token()
    assert claims["sub"] == "github|583231"
    assert (claims["nickname"], claims["name"]) == ("octocat", "The Octocat")
    assert (claims["email"], claims["email_verified"]) == ("octocat@github.com", True)

    # Who is signed in needs no provider; who asks for another connection does.
    page.goto(place.authorization_url())
    assert place.id_token()["sub"] == "github|583231"
    email = place.upstream.create_user(name="Grace Hopper")
    page.goto(place.authorization_url(connection="clinic", login_hint=email))
    assert page.url.startswith(place.upstream.issuer)
    expect(page.get_by_label("Email address")).to_have_value(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    claims = place.id_token()
    assert re.fullmatch(r"oidc\|clinic\|auth0\|[0-9a-f]{24}", claims["sub"])
    assert (claims["email"], claims["name"]) == (email, "Grace Hopper")


def test_whoever_goes_back_at_github_is_told_so_and_can_try_again(place: Place, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(place.authorization_url(connection="github"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    _, answer = place.callback.take()
    assert answer["error"] == "access_denied"
    assert answer["error_description"] == "The user has denied your application access."
    page.goto(place.authorization_url(connection="github"))
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    assert place.id_token()["sub"] == "github|583231"


def test_a_script_says_who_has_signed_in(place: Place, new_page: Callable[..., Page]) -> None:
    assert "fetchUserProfile of the connection custom" in place.portico.command("doctor")
    page = new_page()
    page.goto(place.authorization_url(connection="custom"))
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    claims = place.id_token()
    assert claims["sub"] == "oauth2|custom|583231"
    assert (claims["nickname"], claims["name"]) == ("octocat", "bearer The Octocat")
    exported = place.portico.command("export")
    assert "request.get" in exported and github.CLIENT_SECRET not in exported
