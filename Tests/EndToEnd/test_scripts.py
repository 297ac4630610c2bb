"""Rules and actions, which this version keeps and cannot run: whoever sets one up hears of it before anybody is locked out."""

from support.tenant import tenant


def test_plan_apply_and_doctor_warn_of_what_would_keep_everybody_out(new_portico) -> None:
    portico = new_portico()
    scripts = tenant()
    scripts["rules"] = [{"name": "Add roles", "script": "function (user, context, callback) { callback(null); }"}]
    scripts["actions"] = [{
        "name": "Claims", "code": "./claims.js", "deployed": True,
        "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "secrets": [{"name": "KEY", "value": "hidden-from-everybody"}],
    }]
    scripts["triggers"] = {"post-login": [{"action_name": "Claims", "display_name": "Add claims"}]}
    path = portico.write(scripts)
    (path.parent / "claims.js").write_text("exports.onExecutePostLogin = async () => '##GREETING##';\n")

    planned = portico.run("plan", str(path), GREETING="hello")
    assert planned.returncode == 2
    assert "! rule Add roles, action Claims: This version of Portico keeps rules and actions" in planned.stdout
    assert "hidden-from-everybody" not in planned.stdout
    assert "cannot run them" in portico.command("apply", "--yes", str(path), GREETING="hello")
    report = portico.command("doctor")
    assert "warn  scripts: rule Add roles, action Claims (post-login)." in report

    exported = portico.command("export")
    assert "async () => 'hello';" in exported and "hidden-from-everybody" not in exported
    scripts["rules"][0]["enabled"] = False
    scripts["triggers"] = {"post-login": []}
    quiet = portico.command("apply", "--yes", str(portico.write(scripts)), GREETING="hello")
    assert "cannot run" not in quiet
    assert "scripts:" not in portico.command("doctor")
