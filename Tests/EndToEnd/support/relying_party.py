"""A relying party in another language: a program that prints a URL, reads the answer, and prints what it believes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .portico import Portico
from .programs import REPOSITORY, environment
from .tenant import CALLBACK, Client

CLIENTS = REPOSITORY / "Tests" / "EndToEnd" / "clients"


class Refused(Exception):
    """The relying party does not let the person in; the message is its own."""


class RelyingParty:
    """One sign-in of a program's; it ends with the block that uses it."""

    def __init__(self, portico: Portico, command: list[str], client: Client, method: str = "basic", **request: str):
        asked = {"RESPONSE_TYPE": "code", "RESPONSE_MODE": "", "SCOPE": "openid profile email"} | request
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(
                ISSUER=portico.issuer, CLIENT_ID=client.id, CLIENT_SECRET=client.secret or "", REDIRECT_URI=CALLBACK,
                CLIENT_AUTHENTICATION=method, SSL_CERT_FILE=str(portico.ca), **asked))

    def __enter__(self) -> "RelyingParty":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def url(self) -> str:
        """Where it sends the browser."""
        line = self._process.stdout.readline()
        if not line:
            raise Refused(self._process.stderr.read())
        return json.loads(line)["url"]

    def finish(self, answer: dict[str, str]) -> dict:
        """Gives it what the browser has brought to its callback, and returns the claims that it believes."""
        output, errors = self._process.communicate(json.dumps(answer) + "\n", timeout=20)
        if self._process.returncode != 0:
            raise Refused(errors)
        return json.loads(output)


def build_go(name: str, folder: Path) -> list[str]:
    """Compiles a Go program with Debian's packages, and returns the command that runs it."""
    if not shutil.which("go"):
        _missing("golang-github-coreos-go-oidc-dev")
    output = folder / name
    cache = REPOSITORY / ".build" / "end-to-end" / "go"
    done = subprocess.run(
        ["go", "build", "-o", output, CLIENTS / f"{name}.go"], capture_output=True, text=True, timeout=300,
        env=environment(GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=str(cache), GOFLAGS=""))
    assert done.returncode == 0, done.stderr
    return [str(output)]


def ruby(name: str) -> list[str]:
    """The command that runs a Ruby program with Debian's packages."""
    if not shutil.which("ruby"):
        _missing("ruby-openid-connect")
    return ["ruby", str(CLIENTS / f"{name}.rb")]


def _missing(package: str) -> None:
    if sys.platform == "darwin":
        pytest.skip(f"Homebrew has nothing like {package}")
    raise FileNotFoundError(f"This needs Debian's packages. Install them: apt-get install {package}")
