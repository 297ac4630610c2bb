"""`portico doctor`: it finds what is wrong, and says what to mend."""

import pytest

from support.portico import Portico, said
from support.tenant import tenant


def test_a_healthy_installation_has_nothing_to_mend(own_portico: Portico) -> None:
    report = own_portico.command("doctor", PORTICO_ISSUER=own_portico.issuer)
    # Whether the kernel lets scripts have their whole sandbox is the machine's affair.
    warnings = [line for line in report.splitlines() if line.startswith("warn") and "sandbox for scripts:" not in line]
    assert "BAD" not in report
    if own_portico.database:
        # The tests' server does not wait for the disk, and the node has made a secret of its own.
        assert [line.split()[1] for line in warnings] == ["secret:", "durability:"]
        report = report.replace("warn  secret:", "ok    secret:")
    else:
        assert not warnings
    for checked in ["configuration:", "secret:", "database:", "keys:", "clock:", "applications:", "connections:"]:
        assert f"ok    {checked}" in report
    assert "system call filter" in next(line for line in report.splitlines() if "sandbox for scripts:" in line)


def test_without_their_engine_scripts_cannot_run(own_portico: Portico) -> None:
    report = own_portico.command("doctor", PORTICO_SCRIPT_LIBRARY="libnothing.so.0")
    assert "warn  sandbox for scripts: none." in report and "libnothing.so.0" in report


def test_scripts_get_no_more_time_than_at_auth0(own_portico: Portico) -> None:
    done = own_portico.run("doctor", PORTICO_SCRIPT_TIME="20001")
    assert done.returncode == 1 and "script-time: '20001' is not valid" in said(done)


def test_a_secret_that_others_can_read_is_bad_until_it_is_mended(own_portico: Portico) -> None:
    secret = own_portico.data / "secret"
    secret.chmod(0o644)
    done = own_portico.run("doctor")
    assert done.returncode == 1
    assert f"BAD   secret: others can read {secret}. Mend with: chmod 600 {secret}" in said(done)
    secret.chmod(0o600)
    assert "BAD" not in own_portico.command("doctor")


def test_an_empty_installation_says_what_to_do_next(new_portico) -> None:
    report = new_portico().command("doctor")
    assert "portico apply" in report and "portico serve" in report


def test_another_secret_is_bad(own_portico: Portico) -> None:
    done = own_portico.run("doctor", PORTICO_SECRET="another-" * 8)
    assert done.returncode == 1 and "BAD   keys:" in said(done) and "PORTICO_SECRET" in said(done)


def test_http_in_production_is_bad(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    done = portico.run("doctor", PORTICO_ISSUER="http://login.example.com/")
    assert done.returncode == 1 and "the issuer is http in production" in said(done) and "https" in said(done)


def test_a_callback_that_leaks_codes_is_told_with_its_application(new_portico) -> None:
    portico = new_portico()
    careless = tenant()
    careless["clients"][0]["callbacks"].append("http://shop.example.com/callback")
    portico.apply(careless)
    done = portico.run("doctor", PORTICO_ISSUER="https://login.example.com/")
    assert done.returncode == 1
    assert "Appointments Web App: the callback http://shop.example.com/callback is http" in said(done)


@pytest.mark.sqlite
def test_a_database_that_is_none_is_bad(new_portico) -> None:
    portico = new_portico()
    portico.data.mkdir(parents=True)
    (portico.data / "portico.sqlite").write_bytes(b"this is no database, whatever its name says\n" * 200)
    done = portico.run("doctor")
    assert done.returncode == 1 and "BAD" in said(done) and "database" in said(done)
