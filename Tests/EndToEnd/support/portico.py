"""An installation of Portico: its data folder, its server and its commands."""

import signal
import subprocess
from pathlib import Path

import requests
import yaml

from .programs import Program, binary, environment, free_ports

PASSWORD = "Analytical-Engine-1843"


class Portico:
    """A data folder of its own with a server that the test starts and stops."""

    def __init__(self, folder: Path, tls: bool = False, port: int | None = None):
        self.folder, self.tls = folder, tls
        self.data = folder / "data"
        self.port = port or free_ports(1)[0]
        self.domain = f"localhost:{self.port}"
        self.origin = f"{'https' if tls else 'http'}://{self.domain}"
        self.issuer = f"{self.origin}/"
        self.ca = self.data / "tls" / "ca.pem" if tls else None
        self.server: Program | None = None
        self._users = 0
        folder.mkdir(parents=True, exist_ok=True)

    # The server

    def start(self, **env: str) -> "Portico":
        """Starts `portico serve`, and waits until it is ready."""
        command = [binary("portico"), "serve", "--issuer", self.issuer, "--listen", f"127.0.0.1:{self.port}"]
        self.server = Program(
            "portico", command + (["--tls"] if self.tls else []),
            environment(PORTICO_DATA=str(self.data), PORTICO_LOG_LEVEL="info", **env), self.folder / "portico.log",
            f"{self.origin}/readyz", self.ca)
        self.server.start()
        return self

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int | None:
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
        return session

    # Its commands

    def run(self, *arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Runs `portico` on the data folder, whatever it ends with."""
        return subprocess.run(
            [binary("portico"), *arguments], env=environment(PORTICO_DATA=str(self.data), **env), input=stdin,
            capture_output=True, text=True, timeout=120, cwd=self.folder)

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
        self._users += 1
        email = f"user{self._users}@example.com"
        self.command("users", "create", "--email", email, "--password", password, "--name", name, *arguments)
        return email


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Everything that a command has printed."""
    return done.stdout + done.stderr
