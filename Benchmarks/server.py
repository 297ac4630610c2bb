"""The server under test: a `portico` process with a data folder of its own, on one of the databases."""

import contextlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from building import BUILD_FOLDER, HERE, BenchmarkError
from database import PostgreSQL, SQLite

TENANT = HERE / "tenant.yaml"
PASSWORD = "Correct-Horse-7-Battery"
READY_WITHIN = 30.0  # seconds


def free_port() -> int:
    """A loopback port that was free a moment ago.

    It lies below the range that Linux gives to outgoing connections: while the server is down, a connection to a port
    of that range can be given the same port at its own end, and then reaches itself."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BenchmarkError("no free port between 20000 and 30000")


class Server:
    """Starts, stops and kills `portico serve`; the data folder outlives the process."""

    def __init__(self, binary: str, database: SQLite | PostgreSQL):
        self.database = database
        self.binary = Path(binary).resolve()
        if not os.access(self.binary, os.X_OK):
            raise BenchmarkError(f"{binary} is not a program: swift build -c release --product portico")
        # Not under /tmp, which is in memory on many machines: there a commit would cost nothing.
        BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=BUILD_FOLDER))
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        self.log = self.folder / "server.log"
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"http://{self.address}/"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTICO_")}
        return {**inherited, "PORTICO_DATA": str(self.data), **self.database.environment}

    def command(self, *arguments: str, **settings: str) -> str:
        """Runs `portico …` to its end and returns what it printed."""
        command = [str(self.binary), *arguments]
        environment = self.environment | settings
        result = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True)
        if result.returncode:
            output = result.stderr or result.stdout
            raise BenchmarkError(f"portico {arguments[0]} ended with {result.returncode}:\n{output}")
        return result.stdout

    def prepare(self, users: int) -> list[str]:
        """Applies the tenant and creates users who have PASSWORD. Returns their e-mail addresses."""
        self.command("apply", "--yes", str(TENANT))
        emails = [f"bench-{number:04}@example.test" for number in range(users)]
        for email in emails:
            self.command("users", "create", "--email", email, "--password", PASSWORD, "--email-verified")
        return emails

    def start(self) -> float:
        """Starts the server. Returns the seconds until it first said that it is ready."""
        command = [str(self.binary), "serve", "--issuer", self.issuer, "--listen", self.address]
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_until_ready()
        return time.monotonic() - began

    def wait_until_ready(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < READY_WITHIN:
            if self.process.poll() is not None:
                raise BenchmarkError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
            if self._is_ready():
                return
            time.sleep(0.001)
        raise BenchmarkError(f"GET /readyz was not 200 within {READY_WITHIN:.0f} s:\n{self.log_tail()}")

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Asks the server to end (SIGTERM), and insists after ten seconds."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """SIGKILL: the process gets no chance to write anything more."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:]) or "(its log is empty)"

    def remove(self) -> None:
        """Stops the server and deletes its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
