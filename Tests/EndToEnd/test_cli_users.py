"""`portico users`: people come from the command line, or from another server with the passwords that they have."""

import json
import re

import bcrypt
import pytest

from support.application import Application
from support.portico import PASSWORD, Portico, said
from support.tenant import CONNECTION, tenant
from support.visitor import Visitor


def test_a_user_who_is_created_while_the_server_runs_can_sign_in(own_portico: Portico) -> None:
    printed = own_portico.command(
        "users", "create", "--email", "Ada@Example.com", "--password", PASSWORD, "--name", "Ada Lovelace",
        "--email-verified")
    assert re.fullmatch(r"auth0\|[0-9a-f]{24}  ada@example\.com\n", printed)
    application = Application(own_portico)
    tokens = application.tokens("ada@example.com")
    claims = application.http.get(
        f"{own_portico.issuer}userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert claims["sub"] in printed
    assert (claims["name"], claims["email"], claims["email_verified"]) == ("Ada Lovelace", "ada@example.com", True)
    assert "ada@example.com  verified" in own_portico.command("users", "list")


def test_a_user_who_is_there_already_is_not_made_again(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    email = portico.create_user()
    done = portico.run("users", "create", "--email", email.upper(), "--password", PASSWORD)
    assert done.returncode == 1 and "there already" in said(done)
    assert portico.command("users", "list").count(email) == 1


@pytest.mark.parametrize(
    ("email", "password", "complaint"),
    [("ada@example.com", "short", "too weak"), ("not an address", PASSWORD, "no e-mail address")])
def test_what_is_wrong_with_a_user_is_said(new_portico, email: str, password: str, complaint: str) -> None:
    portico = new_portico()
    portico.apply(tenant())
    done = portico.run("users", "create", "--email", email, "--password", password)
    assert done.returncode == 1 and complaint in said(done)


def test_without_a_tenant_the_command_says_what_to_do_first(new_portico) -> None:
    done = new_portico().run("users", "create", "--email", "ada@example.com", "--password", PASSWORD)
    assert done.returncode == 1 and "portico apply" in said(done)


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_imported_users_keep_the_passwords_that_they_have(own_portico: Portico, prefix: bytes) -> None:
    users = [
        {
            "user_id": f"imported{number}", "email": f"imported{number}@example.com", "email_verified": True,
            "name": f"Person {number}",
            "password_hash": bcrypt.hashpw(f"Password-{number}".encode(), bcrypt.gensalt(10, prefix)).decode(),
        } for number in (1, 2)
    ]
    assert "2" in own_portico.command("users", "import", str(own_portico.write(json.dumps(users), "users.json")))
    assert "auth0|imported1  imported1@example.com" in own_portico.command("users", "list")
    application = Application(own_portico)
    for number in (1, 2):
        _sign_in(application, f"imported{number}@example.com", f"Password-{number}")
    # The first login has replaced the hash by a stronger one; the second must work as well.
    _sign_in(application, "imported1@example.com", "Password-1")


def test_a_row_that_is_refused_is_named_and_the_others_are_imported(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    users = [
        {"email": "good@example.com", "user_id": "good"},
        {"email": "not an address", "user_id": "bad"},
        {"email": "typo@example.com", "user_id": "typo", "email_verifed": True},
    ]
    done = portico.run("users", "import", str(portico.write(json.dumps(users), "users.json")))
    assert done.returncode == 1
    assert "not an address" in said(done) and "did you mean email_verified" in said(done)
    listed = portico.command("users", "list")
    assert "good@example.com" in listed and "typo@example.com" not in listed


def test_importing_again_updates_only_where_that_is_wanted(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    file = portico.write(json.dumps([{"email": "ada@example.com", "user_id": "ada"}]), "users.json")
    portico.command("users", "import", str(file))
    assert portico.run("users", "import", str(file)).returncode == 1
    verified = [{"email": "ada@example.com", "user_id": "ada", "email_verified": True}]
    portico.command("users", "import", "--upsert", str(portico.write(json.dumps(verified), "verified.json")))
    assert "ada@example.com  verified" in portico.command("users", "list")


def test_an_unknown_connection_names_those_that_there_are(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    done = portico.run("users", "create", "--email", "a@example.com", "--password", PASSWORD, "--connection", "Staff")
    assert done.returncode == 1 and "'Staff'" in said(done) and CONNECTION in said(done)


def _sign_in(application: Application, email: str, password: str) -> None:
    answer = Visitor(application.portico).sign_in(application.authorization_url(), email, password)
    assert application.redeem(answer["code"]).status_code == 200
