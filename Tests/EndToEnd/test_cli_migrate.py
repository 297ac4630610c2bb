"""`portico migrate auth0`: an export of Auth0's Deploy CLI and its users become a tenant that people sign in to."""

import gzip
import json
import subprocess
import time

from support.portico import PASSWORD, Portico, said
from support.programs import binary, environment
from support.tenant import CONNECTION

REALM_GRANT = "http://auth0.com/oauth/grant-type/password-realm"
SECRET = "importer-secret-0123456789-0123456789-0123456789"


def export(folder):
    files = {
        "tenant.json": {"friendly_name": "Shop"},
        "clients/Shop.json": {"name": "Shop", "app_type": "regular_web", "callbacks": ["https://shop.example.com/cb"]},
        "database-connections/Users/database.json": {
            "name": "Users", "strategy": "auth0", "enabled_clients": ["Shop"], "options": {}},
        "hooks/Before.json": {"name": "Before"},
    }
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    return folder


def test_an_export_and_its_users_are_taken_over_and_reported(new_portico, tmp_path) -> None:
    portico = new_portico()
    users, report = tmp_path / "users.ndjson.gz", tmp_path / "report.md"
    users.write_bytes(gzip.compress((
        '{"user_id":"auth0|5f1","email":"ada@example.com","identities":[{"connection":"Users"}],"logins_count":3}\n'
        '{"user_id":"github|7","email":"bob@example.com"}\n').encode()))
    arguments = ["migrate", "auth0", str(export(tmp_path / "export")), "--users", str(users), "--report", str(report), "--yes"]
    first = portico.command(*arguments)
    assert "application (1): Shop" in first and "client_secret of Shop, shown this once" in first
    text = report.read_text()
    assert "Kept for exports" in text and "hooks 'Before': " in text
    assert "bob@example.com" in text and "github" in text
    assert "shown this once" not in text
    assert "ada@example.com" in portico.command("users", "list")
    assert "wire_dialect: auth0" in portico.command("export")
    again = portico.command(*arguments)
    assert "Nothing to change." in again and "0 new, 1 there already" in again


def test_nothing_is_taken_over_before_somebody_says_yes(new_portico, tmp_path) -> None:
    portico = new_portico()
    done = portico.run("migrate", "auth0", str(export(tmp_path / "export")), stdin="n\n")
    assert done.returncode == 1 and "this is what would be" in done.stdout, said(done)
    assert "Shop" not in portico.command("export")


def test_an_interrupted_migration_goes_on_where_it_was(new_portico, tmp_path) -> None:
    portico, count = new_portico(), 5000
    folder, users = export(tmp_path / "export"), tmp_path / "users.ndjson"
    users.write_text("".join(
        json.dumps({"user_id": f"auth0|{index}", "email": f"u{index}@example.com", "identities": [{"connection": "Users"}]})
        + "\n" for index in range(count)))
    arguments = ["migrate", "auth0", str(folder), "--users", str(users), "--yes"]
    # The configuration is there first, so that the users' table can be looked at.
    portico.command(*arguments[:3], "--yes")
    running = subprocess.Popen([binary("portico"), *arguments], env=environment(**portico.env), cwd=portico.folder)
    try:
        while running.poll() is None and not portico.query("SELECT user_id FROM user_account LIMIT 1"):
            time.sleep(0.01)
    finally:
        running.kill()
        running.wait()
    [(before,)] = portico.query("SELECT COUNT(*) FROM user_account")
    assert before > 0
    done = portico.command(*arguments)
    assert f"users: {count - before} new, {before} there already" in done, done
    assert portico.query("SELECT COUNT(*) FROM user_account") == [(count,)]


def old_tenant() -> dict:
    """A tenant with an application that may ask for passwords."""
    return {
        "clients": [{
            "name": "Importer", "client_id": "importer", "client_secret": SECRET, "app_type": "regular_web",
            "token_endpoint_auth_method": "client_secret_post", "grant_types": [REALM_GRANT]}],
        "databases": [{"name": CONNECTION, "strategy": "auth0", "enabled_clients": ["Importer"], "options": {}}],
    }


def log_in(portico: Portico, secret: str, email: str, password: str = PASSWORD) -> tuple[int, dict]:
    answer = portico.http_session().post(f"{portico.url}oauth/token", data={
        "grant_type": REALM_GRANT, "client_id": "importer", "client_secret": secret, "username": email,
        "password": password, "realm": CONNECTION, "scope": "openid email"})
    return answer.status_code, answer.json()


def test_passwords_come_one_by_one_from_the_old_tenant(new_portico, tmp_path) -> None:
    old, new = new_portico("old"), new_portico("new")
    old.apply(old_tenant())
    ada, bob, eve = [old.create_user() for _ in range(3)]
    old.start()
    old.command("export", f"{tmp_path / 'export'}/")
    ids = dict(reversed(line.split("  ")[:2]) for line in old.command("users", "list").splitlines())
    users, secret = tmp_path / "users.ndjson", tmp_path / "secret"
    users.write_text("".join(
        json.dumps({"user_id": ids[email], "email": email, "identities": [{"connection": CONNECTION}]}) + "\n"
        for email in (ada, bob)))
    secret.write_text(f"{SECRET}\n")
    done = new.command(
        "migrate", "auth0", str(tmp_path / "export"), "--users", str(users), "--yes", "--old-domain", old.url,
        "--old-client-id", "importer", "--old-client-secret-file", str(secret), "--create-users")
    assert "2 new" in done and SECRET not in done
    own = next(line for line in done.splitlines() if line.startswith("client_secret of Importer")).split()[-1]
    assert "2 users, 0 with a password here, 2 without" in new.command("migrate", "status")
    new.start()

    status, answer = log_in(new, own, ada, "wrong-Password-1")
    assert status in (400, 403) and answer["error"] == "invalid_grant", answer
    assert log_in(new, own, ada)[0] == 200
    # Who was in the old tenant and not in the file comes too, with the same id.
    status, answer = log_in(new, own, eve)
    assert status == 200, answer
    assert f"{ids[eve]}  {eve}" in new.command("users", "list")
    assert "3 users, 2 with a password here, 1 without" in new.command("migrate", "status")

    old.stop()
    assert log_in(new, own, ada)[0] == 200, "the old tenant is asked once"
    status, answer = log_in(new, own, bob)
    assert status != 200 and answer["error"] == "temporarily_unavailable", answer

    shown = new.command("export")
    assert "portico_import" in shown and SECRET not in shown
    log = (new.folder / "portico.log").read_text()
    assert PASSWORD not in log and SECRET not in log and "did not verify a password" in log
