"""A PostgreSQL server of the tests' own: it is gone when they are, however they end."""

import itertools
import subprocess
from urllib.parse import quote, urlsplit

import psycopg

from .programs import REPOSITORY


class PostgresServer:
    """A server that a test stops, starts and asks; `options` are those of scripts/temporary-postgres."""

    _numbers = itertools.count(1)

    def __init__(self, *options: str):
        self._process = subprocess.Popen(
            [REPOSITORY / "scripts" / "temporary-postgres", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.url = self._answer()
        self.port = urlsplit(self.url).port

    def new_schema(self, user: str = "portico", database: str = "portico") -> str:
        """The URL of a tenant's schema that nobody has used."""
        return self.schema(f"tenant_{next(self._numbers)}", user, database)

    def schema(self, name: str, user: str = "portico", database: str = "portico") -> str:
        return f"postgres://{user}@127.0.0.1:{self.port}/{database}?schema={quote(name, safe='')}"

    def connect(self) -> psycopg.Connection:
        """A connection of the superuser's, in which every statement is a transaction."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=5)

    def execute(self, *statements: str) -> list[tuple]:
        """What the last of the statements answers, when it answers anything."""
        with self.connect() as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def end_connections(self) -> int:
        """Ends everybody else's connections in whatever they are doing, and returns how many there were."""
        return len(self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"))

    def backends(self) -> list[int]:
        """The processes that serve everybody else's connections."""
        return [pid for pid, in self.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")]

    def stop(self) -> None:
        """Stops the server as a crash does; does nothing when it is stopped."""
        self._obey("stop", "stopped")

    def start(self) -> None:
        """Starts it again on the same port, and waits until it accepts connections; does nothing when it runs."""
        self._obey("start", "started")

    def end(self) -> None:
        """Stops the server, and removes it: a folder of a hundred thousand files by then, where every test had a schema."""
        self._process.stdin.close()
        self._process.wait(timeout=600)

    def _obey(self, word: str, done: str) -> None:
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._answer() == done

    def _answer(self) -> str:
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"scripts/temporary-postgres ended with {self._process.wait()}; its message is above")
        return line
