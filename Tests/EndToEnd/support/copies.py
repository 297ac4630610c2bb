"""`portico copy`, and what databases hold before and after."""

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from .portico import Portico, said
from .postgres import PostgresServer
from .programs import binary


def copy_command(source: str, target: str) -> list[str]:
    return [binary("portico"), "copy", "--from", source, "--to", target]


def run_copy(portico: Portico, source: str, target: str) -> subprocess.CompletedProcess[str]:
    """A copy, whatever it ends with."""
    return portico.run(*copy_command(source, target)[1:])


def copy(portico: Portico, source: str, target: str) -> subprocess.CompletedProcess[str]:
    """A copy; the test fails unless it succeeds."""
    done = run_copy(portico, source, target)
    assert done.returncode == 0, said(done)
    return done


def expect_refusal(portico: Portico, source: str, target: str, *words: str) -> None:
    """There is no copy, and the message is one for people."""
    done = run_copy(portico, source, target)
    assert done.returncode == 1, said(done)
    assert "Fatal error" not in said(done) and "failed(" not in said(done)
    for word in words:
        assert word in said(done)


def reported(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[int, str]]:
    """The tables that a copy has printed, with their rows and checksums."""
    lines = re.findall(r"^(\w+) +(\d+) rows?  sha256 ([0-9a-f]{16})…$", done.stdout, re.MULTILINE)
    return {table: (int(rows), checksum) for table, rows, checksum in lines}


def expect_report(done: subprocess.CompletedProcess[str], file: Path) -> None:
    """It has printed a line for each table of the tenant's that the file has, with its rows."""
    counts = {table: len(rows) for table, rows in contents(file).items() if table != "schema_migration"}
    assert {table: rows for table, (rows, _) in reported(done).items()} == counts
    assert f"Copied {sum(counts.values())} rows" in done.stdout


def file_of(portico: Portico) -> Path:
    return portico.data / "portico.sqlite"


def named(place: Path | str) -> str:
    """A database as the command takes it."""
    return f"sqlite:{place}" if isinstance(place, Path) else place


def contents(file: Path) -> dict[str, list[tuple]]:
    """Every row of every table of an SQLite file; every table's rows are in an order of their own."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {table: sorted(database.execute(f"SELECT * FROM {table}"), key=repr) for table, in tables.fetchall()}


def contents_of_schema(server: PostgresServer, url: str) -> dict[str, list[tuple]]:
    """Every row of every table of a schema without the marks of the driver's own commits."""
    schema = schema_of(url)
    tables = server.execute(
        "SELECT table_name FROM information_schema.tables"
        f" WHERE table_schema = '{schema}' AND table_name <> 'commit_marker'")
    return {table: sorted(server.execute(f"SELECT * FROM {schema}.{table}"), key=repr) for table, in tables}


def schema_of(url: str) -> str:
    return url.rpartition("schema=")[2].partition("&")[0]


def has_schema(server: PostgresServer, url: str) -> bool:
    return bool(server.execute(f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema_of(url)}'"))
