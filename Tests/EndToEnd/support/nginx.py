"""nginx in front of Portico, as docs/operations/mutual-tls.md sets it up."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from .certificates import Authority
from .portico import Portico
from .programs import Program, environment, free_ports

# Everything that is on this machine connects from 127.0.0.1; the proxy alone from this address.
ADDRESS = "127.0.0.2"
_CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/site.pem;
    ssl_certificate_key {folder}/site.pem;
    proxy_bind {address};
    server {{
        listen 127.0.0.1:{port} ssl;
        location / {{
            proxy_pass {portico};
            proxy_set_header Client-Cert "";
            proxy_set_header Client-Cert-Verified "";
            proxy_set_header Host $http_host;
        }}
    }}
    server {{
        listen 127.0.0.1:{mtls_port} ssl;
        ssl_client_certificate {clients};
        ssl_verify_client optional_no_ca;
        location / {{
            proxy_pass {portico};
            proxy_set_header Client-Cert $ssl_client_escaped_cert;
            proxy_set_header Client-Cert-Verified $ssl_client_verify;
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


class Nginx:
    """Two https sites: the issuer's, and one that asks clients for certificates."""

    def __init__(self, folder: Path):
        _require_nginx()
        folder.mkdir()
        self.folder = folder
        self.port, self.mtls_port = free_ports(2)
        self.issuer, self.mtls = f"https://localhost:{self.port}/", f"https://localhost:{self.mtls_port}/"
        authority = Authority()
        pair = authority.issue("localhost")
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(authority.certificate)
        (folder / "site.pem").write_bytes(pair.key + pair.certificate)
        self._program: Program | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What Portico is told of this proxy."""
        return {
            "PORTICO_TRUSTED_PROXIES": ADDRESS, "PORTICO_MTLS_URL": self.mtls,
            "PORTICO_CLIENT_CERTIFICATE_HEADER": "Client-Cert",
            "PORTICO_CLIENT_CERTIFICATE_VERIFIED_HEADER": "Client-Cert-Verified",
        }

    def start(self, portico: Portico, clients: Path) -> "Nginx":
        """Passes everything on to `portico`; `clients` has the authority of the clients' certificates."""
        configuration = self.folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(
            folder=self.folder, port=self.port, mtls_port=self.mtls_port, clients=clients, address=ADDRESS,
            portico=f"http://127.0.0.1:{portico.port}", user="user root;" if os.geteuid() == 0 else ""))
        command = [_program() or "nginx", "-p", str(self.folder), "-c", str(configuration)]
        self._program = Program(
            "nginx", command, environment(), self.folder / "nginx.log", f"{self.issuer}readyz", self.ca)
        self._program.start()
        return self

    def stop(self) -> None:
        if self._program:
            self._program.stop()


def _program() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _require_nginx() -> None:
    if sys.platform == "darwin":
        pytest.skip(f"macOS has no address {ADDRESS}")
    if not _program():
        raise FileNotFoundError("There is no nginx. Install it: scripts/install-dependencies test")
