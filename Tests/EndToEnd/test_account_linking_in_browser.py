"""An action links two accounts by the Management API while somebody signs in, and the login becomes the primary user's."""

from collections.abc import Callable

import jwt
from playwright.sync_api import Page, expect

from support.application import Application
from support.callback import Callback
from support.management import MANAGER
from support.portico import PASSWORD, Portico
from support.tenant import WEB_APP, tenant

LINK = """exports.onExecutePostLogin = async (event, api) => {
  const { DOMAIN, CLIENT_ID, CLIENT_SECRET, PRIMARY } = event.secrets;
  if (event.user.user_id === PRIMARY) return;
  const json = { 'content-type': 'application/json' };
  const granted = await fetch(`${DOMAIN}oauth/token`, {
    method: 'POST', headers: json,
    body: JSON.stringify({
      grant_type: 'client_credentials', client_id: CLIENT_ID, client_secret: CLIENT_SECRET, audience: `${DOMAIN}api/v2/`,
    }),
  });
  const { access_token } = await granted.json();
  const [provider, user_id] = event.user.user_id.split('|');
  const linked = await fetch(`${DOMAIN}api/v2/users/${encodeURIComponent(PRIMARY)}/identities`, {
    method: 'POST', headers: { ...json, authorization: `Bearer ${access_token}` },
    body: JSON.stringify({ provider, user_id }),
  });
  if (linked.status !== 201) throw new Error(`not linked: ${linked.status} ${await linked.text()}`);
  api.authentication.setPrimaryUser(PRIMARY);
};
"""


def _linking(portico: Portico, callback: Callback, primary: str) -> dict:
    linking = tenant(callbacks=[callback.url])
    linking["clients"].append({
        "name": MANAGER.name, "client_id": MANAGER.id, "client_secret": MANAGER.secret,
        "app_type": "non_interactive", "grant_types": ["client_credentials"],
    })
    linking["clientGrants"].append({
        "client_id": MANAGER.name, "audience": f"{portico.issuer}api/v2/", "scope": ["update:users"],
    })
    secrets = {
        "DOMAIN": portico.url, "CLIENT_ID": MANAGER.id, "CLIENT_SECRET": MANAGER.secret, "PRIMARY": primary,
    }
    linking["actions"] = [{
        "name": "Link", "code": LINK, "deployed": True, "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "secrets": [{"name": name, "value": value} for name, value in secrets.items()],
    }]
    linking["triggers"] = {"post-login": [{"action_name": "Link", "display_name": "Link"}]}
    return linking


def _subject(application: Application, callback: Callback) -> str:
    answer = callback.take()[1]
    assert "code" in answer, answer
    tokens = application.redeem(answer["code"])
    assert tokens.status_code == 200, tokens.text
    return jwt.decode(tokens.json()["id_token"], options={"verify_signature": False})["sub"]


def test_a_login_becomes_the_primary_users(
    new_portico: Callable[..., Portico], new_page: Callable[..., Page]
) -> None:
    portico, callback = new_portico(), Callback()
    try:
        portico.apply(tenant(callbacks=[callback.url]))
        ada, grace = portico.create_user(), portico.create_user(name="Grace Hopper")
        (primary,), = portico.query(f"SELECT user_id FROM user_account WHERE email = '{ada}'")
        portico.command(
            "apply", "--yes", str(portico.write(_linking(portico, callback, primary))), PORTICO_ISSUER=portico.issuer)
        portico.start()
        application = Application(portico, WEB_APP, callback.url)
        url = (
            f"{portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={callback.url}"
            "&scope=openid+email&state=s")
        page = new_page()
        page.goto(url)
        page.get_by_label("Email address").fill(grace)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        assert _subject(application, callback) == primary
        identities = portico.query(f"SELECT email FROM user_account WHERE primary_user_id = '{primary}'")
        assert [email for email, in identities] == [grace]

        # The browser's session is the primary user's from now on: nobody is asked again.
        page.goto(f"{url}&prompt=none")
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        assert _subject(application, callback) == primary
    finally:
        callback.stop()
        portico.stop()
