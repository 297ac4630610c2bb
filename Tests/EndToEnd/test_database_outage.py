"""A database that goes away: requests hear of it at once, nothing is lost, and service returns by itself."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests

from support.application import Application
from support.concurrency import wait_until
from support.load import PATIENCE, disturb_under_load
from support.portico import PASSWORD, Portico
from support.postgres import PostgresServer
from support.tenant import API, MACHINE, PUBLIC, tenant
from support.visitor import Visitor, told


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    """A server that these tests stop and start."""
    server = PostgresServer("--durable")
    yield server
    server.end()


@pytest.fixture
def portico(database: PostgresServer, tmp_path: Path) -> Iterator[Portico]:
    """A running server with the tenant in a schema of its own."""
    portico = Portico(tmp_path, database=database.new_schema())
    portico.apply(tenant())
    yield portico.start()
    database.start()
    portico.stop()


def test_while_the_database_is_away_every_answer_says_so_and_comes_quickly(
    database: PostgresServer, portico: Portico
) -> None:
    application, visitor, machine = Application(portico), Visitor(portico), Application(portico, MACHINE)
    code = application.code(portico.create_user())
    login = visitor.open(application.authorization_url())
    database.stop()
    wait_until(lambda: _readiness(portico) == 503, what="/readyz did not turn red")

    for answer in (
        machine.token(grant_type="client_credentials", audience=API), application.redeem(code),
        application.refresh("a-refresh-token-that-cannot-be-looked-up")
    ):
        _expect_away(answer)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json()["error"] == "temporarily_unavailable"
    for page in (
        requests.get(application.authorization_url(), timeout=20),
        visitor.submit(login, username="ada@example.com", password=PASSWORD, action="default"),
    ):
        _expect_away(page)
        assert page.headers["Content-Type"].startswith("text/html") and "<h1" in page.text
    # The process itself is well, and the keys are public: others go on verifying.
    assert requests.get(f"{portico.url}healthz", timeout=20).status_code == 200
    assert application.http.get(f"{portico.url}.well-known/jwks.json", timeout=20).status_code == 200


def test_service_returns_with_the_database_and_nothing_is_lost(database: PostgresServer, portico: Portico) -> None:
    application, visitor = Application(portico), Visitor(portico)
    email = portico.create_user()
    tokens = application.tokens(email, visitor)
    code = application.code(email)
    login = Visitor(portico)
    page = login.open(application.authorization_url())
    database.stop()
    wait_until(lambda: _readiness(portico) == 503, what="/readyz did not turn red")
    assert application.redeem(code).status_code == application.refresh(tokens["refresh_token"]).status_code == 503
    database.start()
    wait_until(lambda: _readiness(portico) == 200, what="/readyz did not turn green")

    assert application.redeem(code).status_code == 200
    assert application.refresh(tokens["refresh_token"]).status_code == 200
    assert "code" in told(visitor.open(application.authorization_url(prompt="none")))
    consent = login.submit(page, username=email, password=PASSWORD, action="default")
    assert consent.is_redirect or consent.status_code == 200, consent.text
    assert portico.server.process.poll() is None


def test_a_short_restart_of_the_database_is_no_error_to_anybody_who_comes_afterwards(
    database: PostgresServer, portico: Portico
) -> None:
    application = Application(portico, MACHINE)
    for _ in range(3):
        database.stop()
        database.start()
        wait_until(lambda: _readiness(portico) == 200, what="/readyz did not turn green")
        # All of the pool's connections are dead now; none of these may meet one.
        answers = [application.token(grant_type="client_credentials", audience=API) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}


def test_connections_that_end_under_load_are_no_error_of_the_servers(
    database: PostgresServer, portico: Portico
) -> None:
    ended = 0

    def disturb() -> None:
        nonlocal ended
        for _ in range(20):
            ended += database.end_connections()
            time.sleep(0.1)

    disturb_under_load(portico, disturb)
    assert ended > 20, "hardly anybody was disturbed; this has shown nothing"


def test_a_backend_that_is_killed_under_load_is_no_error_of_the_servers(
    database: PostgresServer, portico: Portico
) -> None:
    def recovered() -> bool:
        try:
            return bool(database.backends())
        except psycopg.OperationalError:
            return False

    def disturb() -> None:
        for _ in range(3):
            wait_until(recovered, what="the database did not recover")
            # PostgreSQL ends all of its sessions then, and recovers as after a crash.
            os.kill(database.backends()[0], signal.SIGKILL)
            time.sleep(0.5)

    _give_leeway(portico)
    disturb_under_load(portico, disturb)


def test_a_crash_of_the_database_under_load_is_no_error_of_the_servers(
    database: PostgresServer, portico: Portico
) -> None:
    def disturb() -> None:
        for _ in range(4):
            database.stop()
            database.start()
            time.sleep(0.5)

    _give_leeway(portico)
    disturb_under_load(portico, disturb)


def test_a_database_that_does_not_answer_keeps_nobody_waiting(database: PostgresServer, portico: Portico) -> None:
    application = Application(portico, MACHINE)
    assert application.token(grant_type="client_credentials", audience=API).status_code == 200
    stopped = database.backends()
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        # However many wait: each is answered, not only those who found a connection.
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(application.token, grant_type="client_credentials", audience=API) for _ in range(20)]
            for answer in asked:
                assert answer.result().status_code in (200, 503)
                assert answer.result().elapsed.total_seconds() < 2 * PATIENCE
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: _readiness(portico) == 200, what="/readyz did not turn green")
    wait_until(
        lambda: application.token(grant_type="client_credentials", audience=API).status_code == 200,
        what="there were no tokens")


def _give_leeway(portico: Portico) -> None:
    """On a slow machine the database is away for longer than the outcome of a commit is asked for; what is answered with
    503 then may have had its effect, and applications that come again need leeway."""
    lenient = tenant()
    for client in lenient["clients"]:
        if client["client_id"] == PUBLIC.id:
            client["refresh_token"]["leeway"] = 60
    portico.apply(lenient)


def _readiness(portico: Portico) -> int:
    return requests.get(f"{portico.url}readyz", timeout=PATIENCE).status_code


def _expect_away(answer: requests.Response) -> None:
    """It says that it cannot now, and when to come again; nobody was kept waiting for it."""
    assert answer.status_code == 503, f"{answer.status_code}: {answer.text}"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.elapsed.total_seconds() < PATIENCE
