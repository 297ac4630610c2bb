"""A database that goes away: requests hear of it at once, nothing is lost, and service returns by itself."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from support.application import Application
from support.concurrency import wait_until
from support.portico import PASSWORD, Portico
from support.postgres import PostgresServer
from support.tenant import API, MACHINE, PUBLIC, tenant
from support.visitor import Visitor, told

PATIENCE = 6


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
    wait_until(lambda: _readiness(portico) == 503, 2, "/readyz did not turn red")

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
    wait_until(lambda: _readiness(portico) == 503, 2, "/readyz did not turn red")
    assert application.redeem(code).status_code == application.refresh(tokens["refresh_token"]).status_code == 503
    database.start()
    wait_until(lambda: _readiness(portico) == 200, 5, "/readyz did not turn green")

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
        wait_until(lambda: _readiness(portico) == 200, 5, "/readyz did not turn green")
        # All of the pool's connections are dead now; none of these may meet one.
        answers = [application.token(grant_type="client_credentials", audience=API) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}


def test_connections_that_end_under_load_are_no_error_of_the_servers(
    database: PostgresServer, portico: Portico
) -> None:
    def disturb() -> None:
        for _ in range(20):
            database.end_connections()
            time.sleep(0.1)

    _disturb_under_load(portico, disturb)


def test_a_crash_of_the_database_under_load_is_no_error_of_the_servers(
    database: PostgresServer, portico: Portico
) -> None:
    def disturb() -> None:
        for _ in range(4):
            database.stop()
            database.start()
            time.sleep(0.5)

    _disturb_under_load(portico, disturb)


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
    wait_until(lambda: _readiness(portico) == 200, 5, "/readyz did not turn green")
    wait_until(
        lambda: application.token(grant_type="client_credentials", audience=API).status_code == 200, 5,
        "there were no tokens")


def _readiness(portico: Portico) -> int:
    return requests.get(f"{portico.url}readyz", timeout=PATIENCE).status_code


def _expect_away(answer: requests.Response) -> None:
    """It says that it cannot now, and when to come again; nobody was kept waiting for it."""
    assert answer.status_code == 503, f"{answer.status_code}: {answer.text}"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.elapsed.total_seconds() < PATIENCE


def _disturb_under_load(portico: Portico, disturb) -> None:
    """Services fetch tokens and people refresh theirs meanwhile; whoever is told to come again does so."""
    is_over = threading.Event()
    families = [Application(portico, PUBLIC).tokens(portico.create_user())["refresh_token"] for _ in range(4)]

    def fetch() -> int:
        application, count = Application(portico, MACHINE), 0
        while not is_over.is_set():
            count += _insist(lambda: application.token(grant_type="client_credentials", audience=API))[1]
        return count

    def refresh(token: str) -> int:
        application, count = Application(portico, PUBLIC), 0
        while not is_over.is_set():
            # To come again with the same token must not look like somebody who has stolen it.
            answer, times = _insist(lambda: application.refresh(token))
            token, count = answer.json()["refresh_token"], count + times
        assert application.refresh(token).status_code == 200
        return count

    with ThreadPoolExecutor(8) as pool:
        users = [pool.submit(fetch) for _ in range(4)] + [pool.submit(refresh, token) for token in families]
        try:
            disturb()
        finally:
            time.sleep(1)
            is_over.set()
    assert all(user.result() > 5 for user in users)


def _insist(ask) -> tuple[requests.Response, int]:
    """Asks until it is no 503 any more, and says how often it asked."""
    for times in range(1, 200):
        answer = ask()
        assert answer.status_code in (200, 503), f"{answer.status_code} at attempt {times}: {answer.text}"
        if answer.status_code == 200:
            return answer, times
        assert answer.elapsed.total_seconds() < PATIENCE
        time.sleep(0.05)
    raise AssertionError("there was no service any more")
