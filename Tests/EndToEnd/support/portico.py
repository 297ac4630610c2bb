"""An installation of Portico: its data folder, its database, its server and its commands."""

import itertools
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import requests
import yaml

from .programs import Program, binary, environment, free_ports

PASSWORD = "Analytical-Engine-1843"


class Portico:
    """A data folder of its own with a server that the test starts and stops.

    `url` is where its requests go, and `issuer` what its tokens say: another one where this is one node of several.
    `database` is the URL of a PostgreSQL schema; without one it is what the tests run on (see conftest.py).
    """

    new_database: Callable[[], str] | None = None
    _users = itertools.count(1)

    def __init__(
        self, folder: Path, tls: bool = False, port: int | None = None, issuer: str | None = None,
        database: str | None = None, secret: str | None = None
    ):
        self.folder, self.tls = folder, tls
        self.data = folder / "data"
        self.database = database or (Portico.new_database() if Portico.new_database else None)
        self.port = port or free_ports(1)[0]
        self.domain = f"localhost:{self.port}"
        self.origin = f"{'https' if tls else 'http'}://{self.domain}"
        self.url = f"{self.origin}/"
        self.issuer = issuer or self.url
        self.env = {"PORTICO_DATA": str(self.data)}
        if self.database:
            self.env["PORTICO_DATABASE_URL"] = self.database
        if secret:
            self.env["PORTICO_SECRET"] = secret
        self.ca = self.data / "tls" / "ca.pem" if tls else None
        self.server: Program | None = None
        self.sessions: list[requests.Session] = []
        folder.mkdir(parents=True, exist_ok=True)

    # The server

    def start(self, **env: str) -> "Portico":
        """Starts `portico serve`, and waits until it is ready."""
        command = [binary("portico"), "serve", "--issuer", self.issuer, "--listen", f"127.0.0.1:{self.port}"]
        self.server = Program(
            "portico", command + (["--tls"] if self.tls else []),
            environment(**self.env | {"PORTICO_LOG_LEVEL": "info"} | env), self.folder / "portico.log",
            f"{self.url}readyz", self.ca)
        self.server.start()
        return self

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int | None:
        # Over TLS the server says good-bye on every open connection, and waits a while for an answer.
        for session in self.sessions:
            session.close()
        return self.server.stop(sign) if self.server else None

    def restart(self, sign: signal.Signals) -> None:
        """Ends the server with a signal, and starts it again on the same port."""
        self.stop(sign)
        self.start()

    def http_session(self) -> requests.Session:
        """A session that trusts this server, whatever the environment says of authorities and proxies."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca) if self.ca else True
        self.sessions.append(session)
        return session

    # Its commands

    def run(
        self, *arguments: str, stdin: str = "", timeout: float = 120, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs `portico` on the data folder and the database, whatever it ends with."""
        return subprocess.run(
            [binary("portico"), *arguments], env=environment(**self.env | env), input=stdin,
            capture_output=True, text=True, timeout=timeout, cwd=self.folder)

    def command(self, *arguments: str, **env: str) -> str:
        """Runs `portico` on the data folder, and returns what it prints; the test fails unless it ends with 0."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, f"portico {' '.join(arguments)} ended with {done.returncode}\n{said(done)}"
        return done.stdout

    def apply(self, tenant: dict) -> str:
        """Applies a tenant, and returns the plan."""
        return self.command("apply", "--yes", str(self.write(tenant)))

    def write(self, tenant: dict | str, name: str = "tenant.yaml") -> Path:
        """Writes a tenant file beside the data folder."""
        file = self.folder / name
        file.write_text(tenant if isinstance(tenant, str) else yaml.safe_dump(tenant, sort_keys=False))
        return file

    def create_user(self, *arguments: str, name: str = "Ada Lovelace", password: str = PASSWORD) -> str:
        """Creates a user whom no other test has, and returns the address."""
        email = f"user{next(Portico._users)}@example.com"
        self.command("users", "create", "--email", email, "--password", password, "--name", name, *arguments)
        return email

    def query(self, sql: str) -> list[tuple]:
        """Runs a statement in the database behind the program's back."""
        if self.database is None:
            with closing(sqlite3.connect(self.data / "portico.sqlite")) as database, database:
                return database.execute(sql).fetchall()
        schema = parse_qs(urlsplit(self.database).query)["schema"][0]
        with psycopg.connect(self.database.partition("?")[0], options=f"-c search_path={schema}") as database:
            return database.execute(sql).fetchall()


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Everything that a command has printed."""
    return done.stdout + done.stderr
