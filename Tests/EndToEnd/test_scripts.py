"""Rules and actions: the tutorial's scripts in a tenant file, run by the server's own sandbox, and tried by themselves."""

import json

from support.application import Application
from support.concurrency import wait_until
from support.portico import Portico
from support.tenant import tenant

RULE = """function(user, context, callback) {
  // add custom claims to Access Token and ID Token
  context.accessToken['http://foo/bar'] = 'value';
  context.idToken['http://fiz/baz'] = 'some other value';
  // change scope
  context.accessToken.scope = ['array', 'of', 'strings'];
  callback(null, user, context);
}
"""
ACTION = """exports.onExecutePostLogin = async (event, api) => {
  // Add custom claims to Access Token and ID Token
  api.accessToken.setCustomClaim('https://foo/bar', '##GREETING##');
  api.idToken.setCustomClaim('https://fiz/baz', [...event.secrets.KEY].reverse().join('') === 'ydobyreve-morf-neddih');
  // Modify the scope of the Access Token
  api.accessToken.addScope('foo');
  api.accessToken.addScope('bar');
};
"""


def _claims(token: str) -> dict:
    import jwt
    return jwt.decode(token, options={"verify_signature": False})


def _scripts() -> dict:
    scripts = tenant()
    scripts["rules"] = [{"name": "Customize tokens", "script": RULE}]
    scripts["actions"] = [{
        "name": "Claims", "code": "./claims.js", "deployed": True,
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "secrets": [{"name": "KEY", "value": "hidden-from-everybody"}],
    }]
    scripts["triggers"] = {"post-login": [{"action_name": "Claims", "display_name": "Add claims"}]}
    return scripts


def test_the_tutorials_rule_and_action_change_the_tokens(new_portico) -> None:
    portico: Portico = new_portico()
    path = portico.write(_scripts())
    (path.parent / "claims.js").write_text(ACTION)
    planned = portico.run("plan", str(path), GREETING="hello")
    assert planned.returncode == 2 and "hidden-from-everybody" not in planned.stdout
    portico.command("apply", "--yes", str(path), GREETING="hello")
    assert "scripts: rule Customize tokens, action Claims (post-login)" in portico.command("doctor")

    portico.start()
    email = portico.create_user()
    tokens = Application(portico).tokens(email)
    assert tokens["scope"] == "array of strings foo bar"
    access, identity = _claims(tokens["access_token"]), _claims(tokens["id_token"])
    assert access["http://foo/bar"] == "value" and access["https://foo/bar"] == "hello"
    assert access["scope"] == "array of strings foo bar"
    assert identity["http://fiz/baz"] == "some other value" and identity["https://fiz/baz"] is True
    # Events are written in batches behind the answers: what is promised is that they come, not when.
    wait_until(lambda: "scripts_executed" in portico.command("logs"), 60, "the run is no log event")

    exported = portico.command("export")
    assert "'hello'" in exported and "hidden-from-everybody" not in exported


def test_a_script_is_tried_by_itself(new_portico, tmp_path) -> None:
    portico: Portico = new_portico()
    (tmp_path / "rule.js").write_text(RULE)
    (tmp_path / "action.js").write_text(ACTION)
    (tmp_path / "event.json").write_text(json.dumps({"transaction": {"requested_scopes": ["openid"]}}))
    rule = portico.command("scripts", "test", str(tmp_path / "rule.js"))
    assert 'access token   + http://foo/bar: "value"' in rule and "scope          - openid" in rule
    action = portico.command(
        "scripts", "test", str(tmp_path / "action.js"), "--event", str(tmp_path / "event.json"), "--secret", "KEY=x")
    assert "ID token       + https://fiz/baz: false" in action and "scope          + foo" in action
    assert "processor time" in action

    (tmp_path / "bad.js").write_text("exports.onExecutePostLogin = async (event, api) => {\n  null.x;\n};\n")
    bad = portico.run("scripts", "test", str(tmp_path / "bad.js"))
    assert bad.returncode == 1 and "fails: line 2: TypeError" in bad.stdout
