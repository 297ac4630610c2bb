"""Programs that a test runs: each has a log, answers before it is used, and is ended whatever happens."""

import atexit
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

REPOSITORY = Path(__file__).resolve().parents[3]


def binary(name: str) -> str:
    """The path of a built program; PORTICO_BIN_DIR says where to look when it is not the debug build."""
    folder = Path(os.environ.get("PORTICO_BIN_DIR", REPOSITORY / ".build" / "debug"))
    path = (folder if folder.is_absolute() else REPOSITORY / folder) / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there. Build it with scripts/build-products, or set PORTICO_BIN_DIR.")
    return str(path)


@functools.cache
def has_namespaces() -> bool:
    """Whether this machine gives the sandbox of scripts its namespaces, which most containers do not."""
    trial = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--ipc", "--uts", "true"]
    try:
        return subprocess.run(trial, capture_output=True).returncode == 0
    except FileNotFoundError:
        return sys.platform != "linux"


def environment(**values: str) -> dict[str, str]:
    """This process's environment without what would configure Portico behind the test's back, and with `values`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTICO_", "AUTH0_"))}
    return kept | ({} if has_namespaces() else {"PORTICO_SCRIPT_NAMESPACES": "false"}) | values


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; all are held until all are known, so that no two are equal."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


class Program:
    """A process that serves until it is stopped."""

    running: list["Program"] = []
    started: list["Program"] = []

    def __init__(
        self, name: str, command: list[str], env: dict[str, str], log: Path, ready: str, ca: Path | None = None
    ):
        self.name, self.command, self.env, self.log, self.ready, self.ca = name, command, env, log, ready, ca
        self.process: subprocess.Popen | None = None
        self.seen = 0

    def start(self) -> "Program":
        """Starts the process, and waits until `ready` answers 200."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=self.log.parent)
        Program.running.append(self)
        if self not in Program.started:
            Program.started.append(self)
        self._wait_until_ready()
        return self

    def _wait_until_ready(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.stop()
                raise RuntimeError(f"{self.name} ended with {self.process.returncode} at its start:\n{self.text()}")
            try:
                if requests.get(self.ready, timeout=10, verify=str(self.ca) if self.ca else True).status_code == 200:
                    return
            except (requests.RequestException, OSError):
                pass
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.name} did not answer {self.ready} within {seconds} s:\n{self.text()}")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int | None:
        """Ends the process and returns its exit status; who does not end in a minute is killed."""
        if self in Program.running:
            Program.running.remove(self)
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def text(self) -> str:
        """Everything that the program has logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def news(self) -> str:
        """What it has logged since the last ``mark``."""
        return self.text()[self.seen:]

    def mark(self) -> None:
        self.seen = len(self.text())


@atexit.register
def _end_everything() -> None:
    for program in list(Program.running):
        program.stop(signal.SIGKILL)
