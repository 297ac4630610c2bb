"""A database behind TLS: it serves where its certificate is trusted, and else the start says what is wrong with it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.application import Application
from support.certificates import Authority
from support.concurrency import wait_until
from support.portico import Portico, said
from support.postgres import PostgresServer
from support.tenant import API, MACHINE, tenant

HOST = "localhost"
# What is said where nobody has thought of the case.
NO_MEND = "Check PORTICO_DATABASE_URL and the server."


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def database(authority: Authority) -> Iterator[PostgresServer]:
    """A server with a certificate for its host's name that lets nobody in without TLS, but the tests."""
    server = PostgresServer()
    try:
        _turn_on_tls(server, authority)
        yield server
    finally:
        server.end()


@pytest.fixture
def root(authority: Authority, tmp_path: Path) -> Path:
    """The authority's certificate as operators have it."""
    return _written(tmp_path / "root.pem", authority.certificate)


def test_a_certificate_that_is_verified_in_full_serves(
    database: PostgresServer, tmp_path: Path, root: Path
) -> None:
    _expect_service(tmp_path, database, _url(database, HOST, f"sslmode=verify-full&sslrootcert={root}"))


@pytest.mark.parametrize("mode", ["require", "prefer"])
def test_a_connection_that_is_only_encrypted_serves(database: PostgresServer, tmp_path: Path, mode: str) -> None:
    _expect_service(tmp_path, database, _url(database, "127.0.0.1", f"sslmode={mode}"))


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_another_authority_is_refused(database: PostgresServer, tmp_path: Path, mode: str) -> None:
    other = _written(tmp_path / "other.pem", Authority("Another authority").certificate)
    message = _refusal(tmp_path, _url(database, HOST, f"sslmode={mode}&sslrootcert={other}"))
    assert "certificate verify failed" in message and "sslrootcert" in message


def test_another_host_is_refused_with_both_names(database: PostgresServer, tmp_path: Path, root: Path) -> None:
    message = _refusal(tmp_path, _url(database, "127.0.0.1", f"sslmode=verify-full&sslrootcert={root}"))
    assert f'certificate for "{HOST}"' in message and '"127.0.0.1"' in message
    # Its authority is right all the same.
    _expect_service(tmp_path, database, _url(database, "127.0.0.1", f"sslmode=verify-ca&sslrootcert={root}"))


def test_an_authority_that_is_missing_is_named(database: PostgresServer, tmp_path: Path) -> None:
    missing = tmp_path / "mising.pem"
    message = _refusal(tmp_path, _url(database, HOST, f"sslmode=verify-full&sslrootcert={missing}"))
    assert str(missing) in message and "Correct sslrootcert" in message


def test_a_server_that_demands_tls_is_not_used_without(database: PostgresServer, tmp_path: Path) -> None:
    message = _refusal(tmp_path, _url(database, HOST, "sslmode=disable"))
    assert "no encryption" in message and "sslmode" in message


def _turn_on_tls(server: PostgresServer, authority: Authority) -> None:
    data, [pair] = Path(server.execute("SHOW data_directory")[0][0]), [authority.issue(HOST)]
    owner = data.stat()
    for name, content in (("server.crt", pair.certificate), ("server.key", pair.key)):
        os.chown(_written(data / name, content), owner.st_uid, owner.st_gid)
    rules = ["local all all trust", "hostssl all all 127.0.0.1/32 trust", "host postgres all 127.0.0.1/32 trust"]
    server.execute(
        f"COPY (VALUES {', '.join(f'($${rule}$$)' for rule in rules)}) TO '{data / 'pg_hba.conf'}'",
        "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    wait_until(lambda: server.execute("SHOW ssl") == [("on",)], what="TLS was not turned on")


def _written(file: Path, content: bytes) -> Path:
    file.touch(0o600)
    file.write_bytes(content)
    return file


def _url(server: PostgresServer, host: str, options: str) -> str:
    return f"{server.new_schema().replace('127.0.0.1', host)}&{options}"


def _expect_service(folder: Path, server: PostgresServer, url: str) -> None:
    """It serves, and every connection of its own is encrypted."""
    portico = Portico(folder / "serving", database=url)
    portico.apply(tenant())
    portico.start()
    try:
        answer = Application(portico, MACHINE).token(grant_type="client_credentials", audience=API)
        assert answer.status_code == 200, answer.text
        encrypted = server.execute(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'portico'")
        assert encrypted and all(ssl for ssl, in encrypted)
    finally:
        assert portico.stop() == 0


def _refusal(folder: Path, url: str) -> str:
    """What `portico serve` says when it does not start."""
    portico = Portico(folder / "refused", database=url)
    done = portico.run("serve", "--listen", f"127.0.0.1:{portico.port}", "--issuer", portico.issuer, timeout=30)
    assert done.returncode == 1, said(done)
    assert "Fatal error" not in said(done) and "unavailable(" not in said(done)
    assert NO_MEND not in said(done)
    return said(done)
