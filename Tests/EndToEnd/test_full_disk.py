"""A disk that is full: requests that write hear of it, nothing is half written, and service returns with the space."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from support.application import Application
from support.concurrency import wait_until
from support.load import PATIENCE
from support.portico import Portico, said
from support.postgres import PostgresServer
from support.small_disk import SmallDisk
from support.tenant import PUBLIC, tenant
from support.visitor import Visitor, told


@dataclass
class Place:
    """A running server, and the disk of its database."""

    portico: Portico
    disk: SmallDisk


@pytest.fixture(params=[pytest.param("SQLite", marks=pytest.mark.sqlite), "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from _on_sqlite(tmp_path) if request.param == "SQLite" else _on_postgres(tmp_path)


def _on_sqlite(folder: Path) -> Iterator[Place]:
    disk = SmallDisk(8, folder / "data")
    try:
        yield from _serving(Portico(folder), disk)
    finally:
        disk.remove()


def _on_postgres(folder: Path) -> Iterator[Place]:
    disk, server = SmallDisk(160), None
    try:
        server = PostgresServer(
            "--durable", "--folder", str(disk.folder), "--setting", "min_wal_size=32MB",
            "--setting", "max_wal_size=32MB")
        # The log of changes has its space from here on: it is the tables that cannot grow.
        for place in _serving(Portico(folder, database=server.new_schema()), disk):
            server.execute("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT")
            yield place
    finally:
        disk.free()
        if server:
            server.end()
        disk.remove()


def _serving(portico: Portico, disk: SmallDisk) -> Iterator[Place]:
    portico.apply(tenant())
    try:
        yield Place(portico.start(), disk)
    finally:
        disk.free()
        portico.stop()


def test_while_the_disk_is_full_writers_are_told_and_afterwards_nothing_is_lost(place: Place) -> None:
    portico, application, person = place.portico, Application(place.portico, PUBLIC), Visitor(place.portico)
    email = portico.create_user()
    token = application.tokens(email, person)["refresh_token"]
    codes = [application.code(email, person) for _ in range(5)]
    families, tokens = _kept(portico)
    place.disk.fill()

    # A page that is there may still have room.
    for issued in range(2000):
        answer = application.refresh(token)
        if answer.status_code != 200:
            break
        token = answer.json()["refresh_token"]
    refused = [application.redeem(code) for code in codes]
    for answer in (answer, *(answer for answer in refused if answer.status_code != 200)):
        assert answer.status_code == 503, f"{answer.status_code}: {answer.text}"
        assert answer.json()["error"] == "temporarily_unavailable" and int(answer.headers["Retry-After"]) > 0
        assert answer.elapsed.total_seconds() < PATIENCE
    assert "disk is full" in portico.server.news()
    wait_until(lambda: _readiness(portico) == 503, what="/readyz did not turn red")
    done = portico.run("users", "import", str(portico.write(_many_users(), "users.json")))
    assert done.returncode == 1 and "disk is full" in said(done)
    # What needs no new row is answered: others go on verifying.
    assert application.http.get(f"{portico.url}.well-known/jwks.json", timeout=20).status_code == 200
    assert requests.get(f"{portico.url}healthz", timeout=20).status_code == 200

    place.disk.free()
    wait_until(lambda: _readiness(portico) == 200, what="/readyz did not turn green")
    redeemed = sum(answer.status_code == 200 for answer in refused)
    assert _kept(portico) == (families + redeemed, tokens + issued + redeemed), "something is half written"
    # Once each: a code that was redeemed meanwhile is used, and one that was refused is not.
    for code, before in zip(codes, refused):
        assert (application.redeem(code).status_code == 200) == (before.status_code == 503)
        assert application.redeem(code).json()["error"] == "invalid_grant"
    assert application.refresh(token).status_code == 200
    assert "code" in told(person.open(application.authorization_url(prompt="none")))
    portico.create_user()


def _kept(portico: Portico) -> tuple[int, int]:
    """How many families of refresh tokens there are, and how many refresh tokens."""
    [families], [tokens] = (portico.query(f"SELECT COUNT(*) FROM refresh_token{kind}") for kind in ("_family", ""))
    return families[0], tokens[0]


def _many_users() -> str:
    """More than any page has room for."""
    return json.dumps([{"user_id": f"{number}", "email": f"many{number}@example.com"} for number in range(2000)])


def _readiness(portico: Portico) -> int:
    return requests.get(f"{portico.url}readyz", timeout=PATIENCE).status_code
