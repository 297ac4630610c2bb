"""A database that cannot be used: `portico serve` does not start, and says why and what mends it."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from support.portico import Portico, said
from support.postgres import PostgresServer
from support.programs import free_ports

PASSWORD = "the-password-of-the-database"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    """A server with people who cannot do everything."""
    server = PostgresServer()
    server.execute(
        f"CREATE ROLE careful LOGIN PASSWORD '{PASSWORD}'",
        "CREATE ROLE powerless LOGIN",
        "CREATE ROLE single LOGIN CONNECTION LIMIT 1",
        "GRANT CREATE ON DATABASE portico TO careful, single",
        "CREATE DATABASE readonly",
        "ALTER DATABASE readonly SET default_transaction_read_only = on",
        "COPY (VALUES ('host all careful 127.0.0.1/32 scram-sha-256'), ('host all all 127.0.0.1/32 trust'))"
        f" TO '{server.execute('SHOW hba_file')[0][0]}'",
        "SELECT pg_reload_conf()")
    yield server
    server.end()


def serve(folder: Path, url: str) -> str:
    """What `portico serve` says when it does not start."""
    portico = Portico(folder, database=url)
    done = portico.run("serve", "--listen", f"127.0.0.1:{portico.port}", "--issuer", portico.issuer, timeout=30)
    assert done.returncode == 1, said(done)
    assert PASSWORD not in said(done), "a password has nothing to do in a log"
    assert "Fatal error" not in said(done) and "unavailable(" not in said(done) and "failed(" not in said(done)
    return said(done)


def test_a_server_that_is_not_there_is_named_with_its_port(tmp_path: Path) -> None:
    [port] = free_ports(1)
    message = serve(tmp_path, f"postgres://portico:{PASSWORD}@127.0.0.1:{port}/portico")
    assert "127.0.0.1" in message and str(port) in message and "PORTICO_DATABASE_URL" in message


def test_a_host_that_does_not_exist_is_named(tmp_path: Path) -> None:
    message = serve(tmp_path, f"postgres://portico:{PASSWORD}@database.invalid/portico")
    assert "database.invalid" in message and "PORTICO_DATABASE_URL" in message


def test_a_wrong_password_is_said_with_whose_it_is(database: PostgresServer, tmp_path: Path) -> None:
    right = database.new_schema(f"careful:{PASSWORD}")
    message = serve(tmp_path, right.replace(PASSWORD, f"not-{PASSWORD[:8]}"))
    assert "password" in message and "careful" in message and "PORTICO_DATABASE_URL" in message
    assert f"not-{PASSWORD[:8]}" not in message
    portico = Portico(tmp_path / "right", database=right)
    portico.start()
    assert portico.stop() == 0


def test_a_database_that_is_missing_is_said_with_how_to_make_it(database: PostgresServer, tmp_path: Path) -> None:
    message = serve(tmp_path, database.new_schema(database="nowhere"))
    assert "nowhere" in message and "CREATE DATABASE" in message


def test_a_user_who_may_not_make_the_schema_is_said_with_the_grant(database: PostgresServer, tmp_path: Path) -> None:
    message = serve(tmp_path, database.new_schema("powerless"))
    assert "permission denied" in message and "GRANT CREATE ON DATABASE" in message


def test_a_user_who_may_not_use_the_schema_is_said_with_whose_it_is(database: PostgresServer, tmp_path: Path) -> None:
    owner = Portico(tmp_path / "owner", database=database.new_schema())
    owner.start()
    owner.stop()
    message = serve(tmp_path / "other", owner.database.replace("portico@", "powerless@"))
    assert "ALTER SCHEMA" in message and "OWNER TO" in message


@pytest.mark.parametrize("is_new", [True, False], ids=["empty", "in use before"])
def test_a_database_that_only_reads_is_said_with_what_makes_it_so(
    database: PostgresServer, tmp_path: Path, is_new: bool
) -> None:
    url = database.new_schema(database="readonly")
    if not is_new:
        database.execute("ALTER DATABASE readonly RESET default_transaction_read_only")
        portico = Portico(tmp_path / "before", database=url)
        portico.start()
        portico.stop()
        database.execute("ALTER DATABASE readonly SET default_transaction_read_only = on")
    message = serve(tmp_path / "now", url)
    assert "read-only" in message and "default_transaction_read_only" in message


def test_a_role_with_too_many_connections_is_said_with_its_limit(database: PostgresServer, tmp_path: Path) -> None:
    url = database.new_schema("single")
    with psycopg.connect(url.partition("?")[0]):
        message = serve(tmp_path, url)
    assert "CONNECTION LIMIT" in message and "PORTICO_DATABASE_CONNECTIONS" in message


def _patiently_connected(url: str) -> psycopg.Connection:
    """The one connection that there may be, once the server has ended whatever had it before."""
    for _ in range(100):
        with contextlib.suppress(psycopg.OperationalError):
            return psycopg.connect(url)
        time.sleep(0.1)
    return psycopg.connect(url)


def test_a_server_with_too_many_connections_is_said_with_its_limit(tmp_path: Path) -> None:
    server = PostgresServer("--setting", "max_connections=5", "--setting", "superuser_reserved_connections=4")
    try:
        server.execute("CREATE ROLE ordinary LOGIN")
        url = server.new_schema("ordinary")
        with _patiently_connected(url.partition("?")[0]):
            message = serve(tmp_path, url)
    finally:
        server.end()
    assert "max_connections" in message and "PORTICO_DATABASE_CONNECTIONS" in message


@pytest.mark.parametrize(
    "url", ["mysql://portico@127.0.0.1/portico", "portico"], ids=["another product", "a name"])
def test_an_address_that_is_none_is_refused_with_an_example(tmp_path: Path, url: str) -> None:
    message = serve(tmp_path, url)
    assert "PORTICO_DATABASE_URL" in message and "postgres://" in message


@pytest.mark.parametrize("schema", ["pg_catalog", "1st", 'x";DROP', "x" * 64, ""])
def test_a_schema_that_cannot_be_one_is_named(database: PostgresServer, tmp_path: Path, schema: str) -> None:
    message = serve(tmp_path, database.schema(schema))
    assert "schema must be" in message and "PORTICO_DATABASE_URL" in message


@pytest.mark.parametrize("option", ["sslmode=verify-everything", "sllmode=require", "port=none"])
def test_an_option_that_is_none_is_named(database: PostgresServer, tmp_path: Path, option: str) -> None:
    message = serve(tmp_path, f"{database.url}?{option}")
    assert option.split("=")[0] in message and "PORTICO_DATABASE_URL" in message


def test_a_server_without_tls_is_not_used_where_tls_is_demanded(database: PostgresServer, tmp_path: Path) -> None:
    message = serve(tmp_path, f"{database.url}?sslmode=require")
    assert "SSL" in message or "TLS" in message
    assert "sslmode" in message
