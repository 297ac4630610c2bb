"""`portico apply` and `portico export`: the tenant is what the file says."""

import pytest
import requests

from support.application import Application
from support.concurrency import wait_until
from support.portico import Portico, said
from support.tenant import API, MACHINE, WEB_APP, tenant
from support.visitor import Visitor


def test_applying_the_same_file_twice_changes_nothing(new_portico) -> None:
    portico = new_portico()
    first = portico.apply(tenant())
    assert "0 to delete." in first and "Applied" in first
    second = portico.apply(tenant())
    assert "Nothing to change." in second and "Applied" not in second


def test_the_plan_shows_each_field_before_and_after(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    changed = tenant()
    changed["resourceServers"][0]["token_lifetime"] = 43200
    changed["resourceServers"][0]["scopes"][0]["description"] = "Read your diary"
    changed["clients"][0]["refresh_token"]["leeway"] = 30
    changed["tenant"]["friendly_name"] = "Surgery"
    plan = portico.apply(changed)
    assert "token_lifetime: 86400 → 43200" in plan
    assert "refresh_token.leeway: 0 → 30" in plan
    assert 'friendly_name: "Clinic" → "Surgery"' in plan
    assert "Read your diary" in plan
    assert "0 to create, 3 to change, 0 to delete." in plan
    assert "callbacks" not in plan, "what does not change is not in the plan"


def test_the_plan_never_shows_a_secret(new_portico) -> None:
    portico = new_portico()
    assert WEB_APP.secret not in portico.apply(tenant())
    changed = tenant()
    changed["clients"][0]["client_secret"] = "another-secret-" + "x" * 49
    plan = portico.apply(changed)
    assert "client_secret: (changed)" in plan and "another-secret" not in plan


@pytest.mark.parametrize("issuer", ["http://localhost:8080/", "https://login.example.com/"])
def test_a_tenant_that_had_another_address_takes_a_file_with_its_new_one(new_portico, issuer: str) -> None:
    """The Management API has the issuer in its identifier; the standard's issuer is one that somebody may mean."""
    def granted(issuer: str) -> dict:
        file = tenant()
        file["clientGrants"].append(
            {"client_id": MACHINE.name, "audience": f"{issuer}api/v2/", "scope": ["read:users"]})
        return file

    portico = new_portico()
    file = str(portico.write(granted("http://localhost:28080/")))
    portico.command("apply", "--yes", file, PORTICO_ISSUER="http://localhost:28080/")
    file = str(portico.write(granted(issuer)))
    moved = portico.command("apply", "--yes", file, PORTICO_ISSUER=issuer)
    assert "Nothing to change." in moved, "what was granted for the API moves with it"


@pytest.mark.parametrize(("answer", "is_applied"), [("y\n", True), ("n\n", False), ("", False)])
def test_nothing_is_changed_before_somebody_says_yes(new_portico, answer: str, is_applied: bool) -> None:
    portico = new_portico()
    done = portico.run("apply", str(portico.write(tenant())), stdin=answer)
    assert (done.returncode == 0) == is_applied, said(done)
    assert ("Nothing was changed." in done.stdout) != is_applied
    assert (API in portico.command("export")) == is_applied


def test_an_unknown_field_names_its_line_and_the_field_that_was_meant(new_portico) -> None:
    portico = new_portico()
    done = portico.run("apply", "--yes", str(portico.write(
        "clients:\n  - name: Shop\n    app_type: regular_web\n    callback: [https://shop.example.com/cb]\n")))
    assert done.returncode == 1
    assert "tenant.yaml:4" in said(done) and "callback" in said(done) and "did you mean callbacks" in said(done)
    assert "Shop" not in portico.command("export")


def test_every_mistake_of_a_file_is_told_at_once(new_portico) -> None:
    portico = new_portico()
    broken = tenant()
    broken["clients"][0]["app_type"] = "regular"
    broken["clients"][1]["callbacks"] = ["not a url"]
    broken["resourceServers"][0]["signing_alg"] = "none"
    done = portico.run("apply", "--yes", str(portico.write(broken)))
    assert done.returncode == 1
    for field in ["clients[0].app_type", "clients[1].callbacks", "resourceServers[0].signing_alg"]:
        assert field in said(done)
    assert said(done).count("tenant.yaml:") >= 3


def test_a_missing_keyword_and_broken_yaml_name_their_line(new_portico) -> None:
    portico = new_portico()
    done = portico.run("apply", "--yes", str(portico.write("tenant:\n  friendly_name: ##SHOP_NAME##\n")))
    assert done.returncode == 1 and "tenant.yaml:2" in said(done) and "SHOP_NAME" in said(done)
    done = portico.run("apply", "--yes", str(portico.write("clients:\n  - name: [unclosed\ntenant: {}\n")))
    assert done.returncode == 1 and "tenant.yaml:" in said(done)
    done = portico.run("apply", "--yes", "missing.yaml")
    assert done.returncode == 1 and "missing.yaml" in said(done)


def test_a_keyword_is_replaced_from_the_environment(new_portico) -> None:
    portico = new_portico()
    file = portico.write("tenant:\n  friendly_name: ##SHOP_NAME##\n")
    portico.command("apply", "--yes", str(file), SHOP_NAME="Corner: the #1 shop")
    assert "Corner: the #1 shop" in portico.command("export")


def test_a_running_server_honours_a_new_callback(own_portico: Portico) -> None:
    callback = "https://new.example.com/callback"
    application = Application(own_portico, callback=callback)
    refused = Visitor(own_portico).open(application.authorization_url())
    assert refused.status_code == 403 and "Callback URL mismatch." in refused.text

    changed = tenant()
    changed["clients"][0]["callbacks"].append(callback)
    own_portico.apply(changed)
    wait_until(lambda: _status(application) == 302)
    assert "refresh_token" in application.tokens(own_portico.create_user())


def test_a_running_server_refuses_a_deleted_application(own_portico: Portico) -> None:
    application = Application(own_portico)
    assert _status(application) == 302
    changed = tenant()
    changed["clients"] = changed["clients"][1:]
    changed["databases"][0]["enabled_clients"].remove(WEB_APP.name)
    own_portico.command("apply", "--yes", "--delete", str(own_portico.write(changed)))
    wait_until(lambda: _status(application) != 302)


def test_what_a_file_does_not_name_stays_unless_deleting_is_allowed(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    fewer = tenant()
    fewer["roles"] = []
    assert "Nothing to change." in portico.apply(fewer)
    plan = portico.command("apply", "--yes", "--delete", str(portico.write(fewer)))
    assert "- role Patient" in plan and "1 to delete." in plan
    assert "Patient" not in portico.command("export")


def test_an_export_applied_to_an_empty_folder_exports_the_same(new_portico) -> None:
    first, second = new_portico("first"), new_portico("second")
    first.apply(tenant())
    exported = first.command("export")
    file = second.write(exported, "export.yaml")
    second.command("apply", "--yes", str(file))
    assert second.command("export") == exported
    assert "Nothing to change." in first.command("apply", "--yes", str(file))
    assert WEB_APP.secret not in exported


def _status(application: Application) -> int:
    return requests.get(application.authorization_url(), allow_redirects=False).status_code
