"""`portico plan`, `history` and `rollback`: reviewed changes that can be taken back."""

from support.portico import said
from support.tenant import API, WEB_APP, tenant


def test_plan_ends_with_what_a_pipeline_asks(new_portico) -> None:
    portico = new_portico()
    path = str(portico.write(tenant()))
    planned = portico.run("plan", path)
    assert planned.returncode == 2, said(planned)
    assert API in planned.stdout and WEB_APP.secret not in planned.stdout
    assert API not in portico.command("export"), "a plan changes nothing"
    portico.command("apply", "--yes", path)
    again = portico.run("plan", path)
    assert again.returncode == 0 and "Nothing to change." in again.stdout, said(again)
    wrong = portico.run("plan", str(portico.write("clints: []\n")))
    assert wrong.returncode == 1 and "clints" in wrong.stderr, said(wrong)


def test_a_plan_in_a_file_is_applied_once_and_as_it_was_shown(new_portico, tmp_path) -> None:
    portico = new_portico()
    plan = tmp_path / "shop.plan"
    planned = portico.run("plan", str(portico.write(tenant())), "--out", str(plan))
    assert planned.returncode == 2, said(planned)
    assert WEB_APP.secret not in plan.read_text()
    assert "Applied" in portico.command("apply", "--yes", str(plan))
    late = portico.run("apply", "--yes", str(plan))
    assert late.returncode == 1 and "has changed since" in late.stderr, said(late)


def test_rollback_returns_to_the_state_before_the_last_apply(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    before = portico.command("export")
    changed = tenant()
    changed["tenant"]["friendly_name"] = "Surgery"
    portico.apply(changed)
    assert portico.command("export") != before
    refused = portico.run("rollback", stdin="n\n")
    assert refused.returncode == 1 and portico.command("export") != before, said(refused)
    assert '"Surgery" → "Clinic"' in portico.command("rollback", "--yes")
    assert portico.command("export") == before
    history = portico.command("history").splitlines()
    assert len(history) == 2 and "rolled back" in history[0] and "1 change" in history[0]
