"""Several hosts in the address: the one that takes writes serves, and after a failover the next one does, by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.application import Application
from support.concurrency import wait_until
from support.load import PATIENCE, disturb_under_load
from support.portico import Portico, said
from support.postgres import PostgresServer
from support.tenant import PUBLIC, tenant
from support.visitor import Visitor, told


class Pair:
    """A primary and a server that follows it; whatever was acknowledged is on both."""

    def __init__(self):
        self.primary = PostgresServer("--durable")
        try:
            self.standby = PostgresServer(
                "--standby-of", self.primary.url, "--setting", "wal_retrieve_retry_interval=100ms")
        except BaseException:
            self.primary.end()
            raise
        self.primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        state = "SELECT sync_state FROM pg_stat_replication"
        wait_until(lambda: self.primary.execute(state) == [("sync",)], what="nobody followed the primary")

    def fail_over(self) -> None:
        """The primary crashes, and the standby takes its place."""
        self.primary.stop()
        assert self.standby.execute("SELECT pg_promote()") == [(True,)]

    def url(self, schema: str) -> str:
        """The address with both, the standby first."""
        return self.primary.schema(schema).replace("@", f"@127.0.0.1:{self.standby.port},")

    def end(self) -> None:
        for server in (self.primary, self.standby):
            server.end()


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.end()


@pytest.fixture
def portico(pair: Pair, tmp_path: Path) -> Iterator[Portico]:
    """A running server with the tenant on the pair."""
    portico = Portico(tmp_path, database=pair.url("tenant"))
    portico.apply(tenant())
    yield portico.start()
    portico.stop()


def test_what_was_issued_before_a_failover_works_once_after_it(pair: Pair, portico: Portico) -> None:
    application, person, email = Application(portico, PUBLIC), Visitor(portico), portico.create_user()
    tokens = application.tokens(email, person)
    code, used = application.code(email, person), application.code(email, person)
    assert application.redeem(used).status_code == 200
    pair.primary.stop()
    wait_until(lambda: _readiness(portico) == 503, what="/readyz did not turn red")
    # The standby is there, and takes no writes: nobody is told that it has.
    answer = application.redeem(code)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert application.refresh(tokens["refresh_token"]).status_code == 503
    pair.fail_over()
    wait_until(lambda: _readiness(portico) == 200, what="/readyz did not turn green")

    assert application.redeem(code).status_code == 200
    for gone in (code, used):
        assert application.redeem(gone).json()["error"] == "invalid_grant"
    renewed = application.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, renewed.text
    again = application.refresh(renewed.json()["refresh_token"])
    assert again.status_code == 200, again.text
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert "code" in told(person.open(application.authorization_url(prompt="none")))
    # Commands find the new primary too, and the server hears of what they change.
    kids = {key["kid"] for key in application.jwks()["keys"]}
    portico.command("keys", "rotate")
    wait_until(lambda: {key["kid"] for key in application.jwks()["keys"]} != kids)


def test_a_failover_under_load_is_no_error_of_the_servers(pair: Pair, portico: Portico) -> None:
    disturb_under_load(portico, pair.fail_over)
    assert pair.standby.execute("SELECT pg_is_in_recovery()") == [(False,)]


def test_a_standby_alone_is_refused_with_what_is_missing(pair: Pair, tmp_path: Path) -> None:
    alone = Portico(tmp_path, database=pair.standby.new_schema())
    done = alone.run("serve", "--listen", f"127.0.0.1:{alone.port}", "--issuer", alone.issuer, timeout=30)
    assert done.returncode == 1 and "standby" in said(done) and "postgres://host1,host2" in said(done)


def _readiness(portico: Portico) -> int:
    return requests.get(f"{portico.url}readyz", timeout=PATIENCE).status_code
