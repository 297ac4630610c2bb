"""The tutorials' commands, run by the real curl with only the placeholders filled in."""

import json
import shlex
import subprocess

import pytest

from support.application import Application
from support.portico import Portico
from support.tenant import API, CALLBACK, MACHINE, PUBLIC, WEB_APP

TOKEN = """\
curl --request POST \\
  --url '{issuer}oauth/token' \\
  --header 'content-type: application/x-www-form-urlencoded' \\
"""
CODE = TOKEN + """\
  --data grant_type=authorization_code \\
  --data 'client_id={client_id}' \\
  --data 'client_secret={client_secret}' \\
  --data 'code={code}' \\
  --data 'redirect_uri={callback}'
"""
CODE_IN_JSON = """\
curl --request POST \\
  --url '{issuer}oauth/token' \\
  --header 'content-type: application/json' \\
  --data '{{"grant_type":"authorization_code","client_id": "{client_id}","client_secret": "{client_secret}",\
"code": "{code}","redirect_uri": "{callback}"}}'
"""
REFRESH = TOKEN + """\
  --data grant_type=refresh_token \\
  --data 'client_id={client_id}' \\
  --data 'refresh_token={refresh_token}'
"""
SERVICE = TOKEN + """\
  --data grant_type=client_credentials \\
  --data client_id={client_id} \\
  --data client_secret={client_secret} \\
  --data audience={audience}
"""
API_CALL = """\
curl --request GET \\
  --url {api}/api \\
  --header 'authorization: Bearer {access_token}' \\
  --header 'content-type: application/json'
"""


def curl(command: str, **values: str) -> dict:
    """Runs the command as a person pastes it, and returns the JSON that it prints."""
    line = shlex.split(command.format(**values).replace("\\\n", " "))
    done = subprocess.run([*line, "--silent", "--show-error", "--fail-with-body"], capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(line)}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", [CODE, CODE_IN_JSON], ids=["as a form", "as JSON"])
def test_curl_trades_the_code_for_tokens_and_calls_the_api(site, portico: Portico, command: str) -> None:
    code = Application(portico).code(portico.create_user())
    tokens = curl(
        command, issuer=portico.issuer, client_id=WEB_APP.id, client_secret=WEB_APP.secret, code=code,
        callback=CALLBACK)
    assert {"access_token", "refresh_token", "id_token", "token_type"} <= set(tokens)
    assert curl(API_CALL, api=site.api, access_token=tokens["access_token"])["api"] == API


def test_curl_refreshes_an_access_token(site, portico: Portico) -> None:
    # The tutorial's command has no secret: it is an application that has none.
    application = Application(portico, PUBLIC)
    tokens = application.tokens(portico.create_user())
    renewed = curl(REFRESH, issuer=portico.issuer, client_id=PUBLIC.id, refresh_token=tokens["refresh_token"])
    assert {"access_token", "expires_in", "scope", "id_token", "token_type"} <= set(renewed)
    assert curl(API_CALL, api=site.api, access_token=renewed["access_token"])["api"] == API


def test_curl_gets_a_token_for_a_service(site, portico: Portico) -> None:
    tokens = curl(
        SERVICE, issuer=portico.issuer, client_id=MACHINE.id, client_secret=MACHINE.secret, audience=API)
    assert curl(API_CALL, api=site.api, access_token=tokens["access_token"])["scope"] == "appointments"


def test_curl_is_redirected_to_the_login(portico: Portico) -> None:
    done = subprocess.run(
        ["curl", "--silent", "--include", Application(portico).authorization_url(scope="appointments contacts")],
        capture_output=True, text=True, check=True)
    head = done.stdout.lower()
    assert head.startswith("http/1.1 302 found") and "\nlocation: /u/login?state=" in head


def test_curl_sees_the_development_authority_and_trusts_it(secure_portico: Portico) -> None:
    address = f"{secure_portico.issuer}.well-known/openid-configuration"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--cacert", str(secure_portico.ca), address], capture_output=True,
        text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["issuer"] == secure_portico.issuer
