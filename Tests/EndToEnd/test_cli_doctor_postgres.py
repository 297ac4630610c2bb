"""`portico doctor` on PostgreSQL: it judges the server, too."""

from collections.abc import Iterator

import pytest

from support.portico import Portico, said
from support.postgres import PostgresServer
from support.tenant import tenant

SECRET = "a secret that every node on the database has"


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    server = PostgresServer("--durable", "--setting", "max_connections=40")
    yield server
    server.end()


@pytest.fixture
def node(new_portico, durable_server: PostgresServer) -> Portico:
    """An installation on the server, with its tenant and its keys."""
    node = new_portico(database=durable_server.new_schema(), secret=SECRET)
    node.apply(tenant())
    node.start()
    node.stop()
    return node


def test_a_healthy_server_has_nothing_to_mend(node: Portico) -> None:
    report = node.command("doctor")
    assert "BAD" not in report and "warn" not in report
    for checked in ["secret:", "PostgreSQL:", "privileges:", "durability:", "isolation:", "transport:", "connections:",
                    "server's clock:"]:
        assert f"ok    {checked}" in report
    assert "enough for 3 nodes" in report


def test_more_connections_than_the_server_has_are_bad(node: Portico) -> None:
    done = node.run("doctor", PORTICO_DATABASE_CONNECTIONS="50")
    assert done.returncode == 1 and "Raise max_connections" in said(done)


def test_a_user_who_may_not_do_what_migrations_do_is_warned(node: Portico, durable_server: PostgresServer) -> None:
    schema = node.database.split("schema=")[1]
    durable_server.execute(
        "DROP ROLE IF EXISTS reader_writer", "CREATE ROLE reader_writer LOGIN",
        f'GRANT USAGE ON SCHEMA "{schema}" TO reader_writer',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema}" TO reader_writer')
    url = node.database.replace("portico@", "reader_writer@")
    done = node.run("doctor", PORTICO_DATABASE_URL=url)
    assert done.returncode == 0 and "warn  privileges: this user may not make tables" in said(done)
    durable_server.execute(f'REVOKE DELETE ON "{schema}".session FROM reader_writer')
    done = node.run("doctor", PORTICO_DATABASE_URL=url)
    assert done.returncode == 1 and "may not read and write session." in said(done)
    durable_server.execute('DROP OWNED BY reader_writer', "DROP ROLE reader_writer")


def test_a_server_that_does_not_wait_for_the_disk_is_bad_in_production(new_portico, postgres_server) -> None:
    node = new_portico(database=postgres_server.new_schema(), secret=SECRET)
    done = node.run("doctor", PORTICO_ISSUER="https://login.example.com/")
    assert done.returncode == 1 and "BAD   durability: fsync is off" in said(done)


def test_a_server_that_is_away_is_bad_with_its_mend(node: Portico) -> None:
    done = node.run("doctor", PORTICO_DATABASE_URL="postgres://portico@127.0.0.1:1/portico")
    assert done.returncode == 1 and "BAD   PostgreSQL cannot be reached" in said(done) and "Start PostgreSQL" in said(done)
