"""The databases under test: SQLite's files in Portico's data folder, and a PostgreSQL that is started for the run."""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from building import BUILD_FOLDER, HERE, BenchmarkError

TEMPORARY_POSTGRES = HERE.parent / "scripts" / "temporary-postgres"
SCHEMA = "bench"
RECOVERED_WITHIN = 30.0  # seconds
MOST_CLIENTS = 300  # of the 400 connections that temporary-postgres allows
# As many bytes as `limits` commits to SQLite. Like there, nothing else happens in the transaction.
COMMIT = "INSERT INTO commit_limit (payload) VALUES (repeat('x', 300))"
TABLE = "CREATE TABLE IF NOT EXISTS commit_limit (id BIGSERIAL PRIMARY KEY, payload TEXT NOT NULL)"


@dataclass(frozen=True)
class Usage:
    """What a database server of its own has used so far: CPU seconds, and transactions that wrote something."""

    cpu_seconds: float = 0.0
    writes: int = 0

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(self.cpu_seconds - earlier.cpu_seconds, self.writes - earlier.writes)


class SQLite:
    """Nothing has to be started: the files are Portico's own."""

    name = "sqlite"
    title = "SQLite"
    environment: dict[str, str] = {}

    def usage(self) -> Usage:
        return Usage()

    def commit_limits(self, numbers_of_clients: list[int], seconds: float) -> dict[int, float]:
        return {}

    def stop(self) -> None:
        pass


class PostgreSQL:
    """A server on the disk of the other benchmark folders, waiting for it at each commit. It ends with this process."""

    name = "postgres"

    def __init__(self):
        BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
        command = [TEMPORARY_POSTGRES, "--durable", "--folder", BUILD_FOLDER]
        self.script = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.script.stdout.readline().strip()
        if not self.url:
            raise BenchmarkError(f"scripts/temporary-postgres ended with {self.script.wait()}")
        self.postmaster = self._find_postmaster(self.url)
        # The programs beside the running one, because there may be several versions.
        self.programs = Path(os.readlink(f"/proc/{self.postmaster}/exe")).parent
        self.title = "PostgreSQL " + self.query("SHOW server_version").split()[0]

    @staticmethod
    def _find_postmaster(url: str) -> int:
        port = re.search(r":(\d+)/", url)[1]
        for file in BUILD_FOLDER.glob("postgres-*/data/postmaster.pid"):
            lines = file.read_text().splitlines()
            if lines[3] == port:
                return int(lines[0])
        raise BenchmarkError(f"no postmaster in {BUILD_FOLDER} listens on port {port}")

    @property
    def environment(self) -> dict[str, str]:
        return {"PORTICO_DATABASE_URL": f"{self.url}?schema={SCHEMA}"}

    def stop(self) -> None:
        """Ends the server; its folder is removed."""
        self.script.stdin.close()
        self.script.wait()

    # MARK: - Processes

    def _backends(self) -> dict[int, str]:
        """The postmaster's children with their titles, such as "postgres: portico portico 127.0.0.1(50912) idle"."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.postmaster:
                    found[int(folder.name)] = (folder / "cmdline").read_text().rstrip("\0 ")
            except OSError:
                continue  # it ended meanwhile
        return found

    def usage(self) -> Usage:
        """User and system time of all processes, those that have ended included; only a writer is given a number."""
        return Usage(self._cpu_seconds(), int(self.query("SELECT pg_snapshot_xmax(pg_current_snapshot())")))

    def _cpu_seconds(self) -> float:
        ticks = 0
        for process in [self.postmaster, *self._backends()]:
            try:
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            ticks += sum(map(int, fields[11:15] if process == self.postmaster else fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill_backend(self) -> None:
        """SIGKILL for one backend that serves a client: PostgreSQL then ends every process of its own and recovers as
        after a crash. Returns when it accepts connections again."""
        before = self._backends()
        serving = [process for process, title in before.items() if "127.0.0.1(" in title]
        if not serving:
            raise BenchmarkError("no backend of PostgreSQL serves a client")
        os.kill(random.choice(serving), signal.SIGKILL)
        began = time.monotonic()
        while before.keys() & self._backends().keys() or self._run("pg_isready", "-q", "-d", self.url).returncode:
            if time.monotonic() - began > RECOVERED_WITHIN:
                raise BenchmarkError(f"PostgreSQL has not recovered within {RECOVERED_WITHIN:.0f} s")
            time.sleep(0.005)

    # MARK: - Its own programs

    def _program(self, name: str) -> str:
        program = shutil.which(self.programs / name) or shutil.which(name)
        if not program:
            raise BenchmarkError(f"{name} is neither in {self.programs} nor in the PATH; it belongs to PostgreSQL")
        return program

    def _run(self, name: str, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run([self._program(name), *map(str, arguments)], capture_output=True, text=True)

    def query(self, sql: str) -> str:
        result = self._run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url)
        if result.returncode:
            raise BenchmarkError(f"{sql}\n{result.stderr}")
        return result.stdout.strip()

    def commit_limits(self, numbers_of_clients: list[int], seconds: float) -> dict[int, float]:
        """One-row commits a second by number of clients, measured by pgbench."""
        self.query(TABLE)
        return {number: self._commits_per_second(min(number, MOST_CLIENTS), seconds) for number in numbers_of_clients}

    def _commits_per_second(self, clients: int, seconds: float) -> float:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(COMMIT + ";\n")
            script.flush()
            load = ["-c", clients, "-T", max(1, round(seconds))]
            result = self._run("pgbench", "-n", "-M", "prepared", "-f", script.name, *load, self.url)
        found = re.search(r"^tps = ([\d.]+)", result.stdout, re.MULTILINE)
        if result.returncode or not found:
            raise BenchmarkError(f"pgbench ended with {result.returncode}:\n{result.stderr}")
        return float(found[1])

    def damage(self) -> str:
        """What amcheck finds wrong with tables and their indexes; empty when all is well."""
        arguments = ["--install-missing", "--heapallindexed", f"--schema={SCHEMA}", self.url]
        result = self._run("pg_amcheck", *arguments)
        return result.stdout + result.stderr if result.returncode else ""


DATABASES = {kind.name: kind for kind in (SQLite, PostgreSQL)}


def database_names(text: str) -> list[str]:
    """The databases that the option --database asks for."""
    return list(DATABASES) if text == "both" else [text]
