"""A disk that is full: requests that write hear of it, nothing is half written, and service returns with the space."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from support.application import Application
from support.concurrency import wait_until
from support.load import PATIENCE
from support.portico import PASSWORD, Portico
from support.postgres import PostgresServer
from support.small_disk import SmallDisk
from support.tenant import PUBLIC, tenant
from support.visitor import Visitor, told


@dataclass
class Place:
    """A running server, and the disk of its database."""

    portico: Portico
    disk: SmallDisk


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with_disk = _on_sqlite if request.param == "SQLite" else _on_postgres
    yield from with_disk(tmp_path)


def _on_sqlite(folder: Path) -> Iterator[Place]:
    disk = SmallDisk(8, folder / "data")
    portico = Portico(folder)
    portico.database = portico.env.pop("PORTICO_DATABASE_URL", None) and None
    yield from _serving(portico, disk)


def _on_postgres(folder: Path) -> Iterator[Place]:
    disk = SmallDisk(160)
    server = None
    try:
        server = PostgresServer(
            "--durable", "--folder", str(disk.folder), "--setting", "min_wal_size=32MB",
            "--setting", "max_wal_size=32MB", "--setting", "autovacuum=off")
        for place in _serving(Portico(folder, database=server.new_schema()), None):
            # The log of changes has its space already: it is the tables that cannot grow.
            server.execute("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT")
            place.disk = disk
            yield place
    finally:
        disk.free()
        if server:
            server.end()
        disk.remove()


def _serving(portico: Portico, disk: SmallDisk | None) -> Iterator[Place]:
    try:
        portico.apply(tenant())
        yield Place(portico.start(), disk)
    finally:
        portico.stop()
        if disk:
            disk.remove()


def test_probe(place: Place) -> None:
    import time
    portico, disk = place.portico, place.disk
    application = Application(portico, PUBLIC)
    email = portico.create_user()
    codes = [application.code(email) for _ in range(10)]
    token = application.tokens(email)["refresh_token"]
    disk.fill()
    n = 0
    t = time.time()
    while True:
        a = application.refresh(token)
        n += 1
        if a.status_code != 200 or n > 5000: break
        token = a.json()["refresh_token"]
    print(n, time.time() - t, a.status_code, a.headers, a.text)
    for _ in range(40):
        r = requests.get(f"{portico.url}readyz")
        print(r.status_code, end=" ")
        time.sleep(0.1)
    print([application.redeem(c).status_code for c in codes])
    print([application.refresh(token).status_code for _ in range(3)])
    print(requests.get(application.authorization_url()).status_code)
    disk.free()
    t = time.time()
    while requests.get(f"{portico.url}readyz").status_code != 200: time.sleep(.05)
    print("ready after", time.time() - t)
    print([application.redeem(c).status_code for c in codes])
    print(application.refresh(token).text[:100])
    print(portico.server.text()[-6000:])
