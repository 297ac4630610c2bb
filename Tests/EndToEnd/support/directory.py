"""A directory: Debian's OpenLDAP server with three people in it."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from .certificates import Authority
from .programs import Program, environment, free_ports

BASE = "dc=example,dc=org"
SEARCHER, SEARCHER_PASSWORD = f"cn=search,{BASE}", "searching"

_SETTINGS = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
disallow bind_anon
require authc
# Nobody's password comes without TLS.
security simple_bind=128
database mdb
suffix "{base}"
directory {folder}/db
maxsize 10485760
access to attrs=userPassword by anonymous auth by * none
access to * by dn="{searcher}" read by anonymous auth
"""

_ENTRIES = """
dn: {base}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {searcher}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: search
userPassword: {password}

dn: uid=jane,{base}
objectClass: inetOrgPerson
uid: jane
cn: Jane Doe
sn: Doe
givenName: Jane
mail: jane@example.org
userPassword: jane's password

dn: uid=joe,{base}
objectClass: inetOrgPerson
uid: joe
cn: Joe Bloggs
sn: Bloggs
mail: joe@example.org
userPassword: joe's password

dn: cn=Sales,{base}
objectClass: groupOfNames
cn: Sales
member: uid=jane,{base}
"""


class Directory(Program):
    """Answers on `ldap` (StartTLS) and `ldaps` ports of its own, and takes no password without TLS."""

    def __init__(self, folder: Path):
        program = shutil.which("slapd", path="/usr/sbin:/usr/libexec:/usr/local/libexec")
        if program is None:
            pytest.skip("slapd is not installed: scripts/install-dependencies test")
        (folder / "db").mkdir(parents=True)
        authority = Authority()
        pair = authority.issue("127.0.0.1")
        self.authority = authority.certificate.decode()
        for name, content in [("ca.pem", authority.certificate), ("server.pem", pair.certificate),
                              ("server.key", pair.key)]:
            (folder / name).write_bytes(content)
        settings, entries = folder / "slapd.conf", folder / "entries.ldif"
        settings.write_text(_SETTINGS.format(folder=folder, base=BASE, searcher=SEARCHER))
        entries.write_text(_ENTRIES.format(base=BASE, searcher=SEARCHER, password=SEARCHER_PASSWORD).lstrip())
        subprocess.run(
            [program, "-T", "add", "-f", str(settings), "-l", str(entries)], check=True, capture_output=True, text=True)
        self.plain_port, self.secure_port = free_ports(2)
        self.plain, self.secure = (f"ldap://127.0.0.1:{self.plain_port}", f"ldaps://127.0.0.1:{self.secure_port}")
        super().__init__(
            "slapd", [program, "-h", f"{self.plain} {self.secure}", "-f", str(settings), "-d", "0"], environment(),
            folder / "slapd.log", self.secure)

    def _wait_until_ready(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.secure_port), timeout=2).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"slapd did not start:\n{self.text()}")

    def options(self, url: str, **further) -> dict:
        """A connection's options for this directory."""
        return {
            "ldap_url": url, "ldap_base": BASE, "ldap_bind_user": SEARCHER, "ldap_bind_password": SEARCHER_PASSWORD,
            "ldap_ca_certificate": self.authority, **further,
        }
