"""`portico copy` of a large tenant: it shows how far it is, and goes on after it was killed."""

import errno
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from support.concurrency import wait_until
from support.copies import (
    contents, copy, copy_command, expect_refusal, expect_report, file_of, named, reported, schema_of
)
from support.portico import Portico, said
from support.postgres import PostgresServer
from support.programs import environment
from support.tenant import tenant

pytestmark = pytest.mark.sqlite

# Enough for many batches: whoever kills a copy must meet it at work.
USERS = 20_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Portico:
    """An installation on SQLite with many users."""
    portico = Portico(tmp_path_factory.mktemp("source"))
    portico.apply(tenant())
    users = [
        {"user_id": f"{number:05}", "email": f"person{number}@example.com", "name": f"Person {number}"}
        for number in range(USERS)
    ]
    portico.command("users", "import", str(portico.write(json.dumps(users), "users.json")))
    return portico


class Target:
    """A database that does not exist yet, and how many users there are in it."""

    def __init__(self, name: str):
        self.name = name

    def count(self) -> int:
        raise NotImplementedError


class Schema(Target):
    def __init__(self, server: PostgresServer):
        super().__init__(server.new_schema())
        self._server = server

    def count(self) -> int:
        try:
            return self._server.execute(f"SELECT COUNT(*) FROM {schema_of(self.name)}.user_account")[0][0]
        except psycopg.errors.UndefinedTable:
            return 0


class File(Target):
    def __init__(self, path: Path):
        super().__init__(named(path))
        self._path = path

    def count(self) -> int:
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as database:
                return database.execute("SELECT COUNT(*) FROM user_account").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


@pytest.fixture(params=["to PostgreSQL", "to SQLite"])
def target(request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path: Path) -> Target:
    return Schema(postgres_server) if request.param == "to PostgreSQL" else File(tmp_path / "target.sqlite")


def test_a_copy_that_was_killed_goes_on_and_ends_equal(source: Portico, target: Target, tmp_path: Path) -> None:
    command, before = copy_command(named(file_of(source)), target.name), contents(file_of(source))
    reached = 0
    for _ in range(2):
        process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: target.count() > reached or process.poll() is not None, 60, "nobody was copied")
        finally:
            process.kill()
        assert process.wait() == -signal.SIGKILL, "it had ended before it was killed; this has shown nothing"
        assert reached < target.count() < USERS, "it had copied everybody; this has shown nothing"
        reached = target.count()
    # Another source has no business in what there is of the copy.
    other = Portico(tmp_path / "other")
    other.apply(tenant())
    expect_refusal(other, named(file_of(other)), target.name, "unfinished copy", str(file_of(source)))
    assert target.count() == reached

    done = copy(source, named(file_of(source)), target.name)
    assert "interrupted" in done.stdout
    expect_report(done, file_of(source))
    assert reported(done)["user_account"][0] == USERS
    expect_refusal(source, named(file_of(source)), target.name, "not empty")
    back = tmp_path / "back.sqlite"
    assert reported(copy(source, target.name, named(back))) == reported(done)
    assert contents(back) == before == contents(file_of(source))


def test_a_progress_bar_is_drawn_on_a_terminal_and_nowhere_else(
    source: Portico, postgres_server: PostgresServer
) -> None:
    piped = copy(source, named(file_of(source)), postgres_server.new_schema())
    terminal, end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            copy_command(named(file_of(source)), postgres_server.new_schema()), env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=end, text=True)
        os.close(end)
        drawn = _drawn(screen)
        printed = process.communicate(timeout=60)[0]
    assert process.returncode == 0, drawn
    assert "█" in drawn and "copied: user_account" in drawn and "compared: user_account" in drawn
    shares = [int(share) for share in re.findall(r"(\d+) %", drawn)]
    assert len(set(shares)) > 10 and shares == sorted(shares) and shares[-1] == 100 and drawn.endswith("\n")
    for text in (printed, said(piped)):
        assert not set("\r\x1b█░") & set(text)
    assert piped.stderr == "" and reported(piped)["user_account"][0] == USERS


def _drawn(screen) -> str:
    """Everything that is written to a terminal until nobody has it open any more."""
    text = b""
    try:
        while part := screen.read(65536):
            text += part
    except OSError as error:
        # Linux says it so, and macOS with an empty answer.
        if error.errno != errno.EIO:
            raise
    return text.decode()
