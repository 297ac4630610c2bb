"""Apache with mod_auth_openidc: web sites that ask the identity server who somebody is."""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .certificates import Authority
from .portico import Portico
from .programs import Program, environment, free_ports
from .tenant import Client

MODULES = Path("/usr/lib/apache2/modules")
_CONFIGURATION = """\
ServerRoot {folder}
ServerName localhost
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/errors.log
LogLevel warn auth_openidc:info
Mutex pthread default
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
TypesConfig /etc/mime.types
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
DocumentRoot {folder}/pages
"""
_SITE = """\
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    ServerName {scheme}://localhost:{port}
{settings}
    <Location /members/>
        AuthType openid-connect
        Require valid-user
    </Location>
    <Location /api/>
        AuthType oauth20
        Require claim scope~appointments
    </Location>
</VirtualHost>
"""
_PAGE = '<!doctype html><html lang=en><link rel=icon href="data:,"><title>{name}</title><h1>{name}</h1>'


@dataclass
class ProtectedSite:
    """A site with a folder for people who have signed in; `settings` are mod_auth_openidc's directives without OIDC.

    A site without a client registers itself when somebody comes to it.
    """

    client: Client | None
    scheme: str = field(default="http", kw_only=True)
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/"

    @property
    def members(self) -> str:
        """The folder's address."""
        return f"{self.url}members/"

    @property
    def api(self) -> str:
        """A folder for whoever brings an access token with the scope appointments."""
        return f"{self.url}api/"

    @property
    def callback(self) -> str:
        return f"{self.members}callback"

    @property
    def facts(self) -> str:
        """Where the module tells in JSON what it knows of whoever has signed in."""
        return f"{self.callback}?info=json"


class Apache:
    """An Apache with everything in a folder of its own; the system's, if there is one, does not notice.

    `ca` has the authorities of its https sites and of the identity server.
    """

    def __init__(self, portico: Portico, sites: list[ProtectedSite]):
        _require_apache()
        # Apache refuses to serve as root: then the files must be where its user may read them.
        self.folder = Path(tempfile.mkdtemp(prefix="apache-of-the-tests-"))
        self.folder.chmod(0o755)
        self.ca = self.folder / "ca.pem"
        self._write_certificates(portico)
        self._write_pages()
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        configuration = self.folder / "apache.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=self.folder, modules=MODULES, user=user)
            + "".join(self._configuration(site, portico) for site in sites))
        self._program = Program(
            "apache", [shutil.which("apache2") or "/usr/sbin/apache2", "-DFOREGROUND", "-f", str(configuration)],
            environment(), self.folder / "errors.log", sites[0].url, self.ca)

    def start(self) -> "Apache":
        self._program.start()
        return self

    def stop(self) -> None:
        self._program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def news(self) -> str:
        """What it has logged during this test."""
        return self._program.news()

    def _write_certificates(self, portico: Portico) -> None:
        authority = Authority()
        pair = authority.issue("localhost")
        (self.folder / "site.pem").write_bytes(pair.key + pair.certificate)
        self.ca.write_bytes(authority.certificate + (portico.ca.read_bytes() if portico.ca else b""))

    def _write_pages(self) -> None:
        pages = self.folder / "pages"
        for name, folder in [("Everybody", pages), ("Members", pages / "members"), ("API", pages / "api")]:
            folder.mkdir()
            (folder / "index.html").write_text(_PAGE.format(name=name))
        (pages / "favicon.ico").touch()
        # Where the module, as Apache's user, writes what it has registered.
        (self.folder / "registrations").mkdir()
        (self.folder / "registrations").chmod(0o777)

    def _configuration(self, site: ProtectedSite, portico: Portico) -> str:
        settings = {
            "RedirectURI": site.callback, "Scope": '"openid profile email"', "PKCEMethod": "S256",
            # Cookies do not know ports.
            "Cookie": f"session_at_{site.port}",
            "CryptoPassphrase": "known-to-the-tests-alone", "InfoHook": "access_token id_token userinfo session",
        }
        if portico.ca:
            settings["CABundlePath"] = str(self.ca)
        if site.client is None:
            settings["MetadataDir"] = f"{self.folder}/registrations"
        else:
            settings["ProviderMetadataURL"] = f"{portico.issuer}.well-known/openid-configuration"
            settings["ClientID"] = site.client.id
        if site.client and site.client.secret:
            settings["ClientSecret"] = site.client.secret
        lines = [f"    OIDC{name} {value}" for name, value in (settings | site.settings).items()]
        if site.scheme == "https":
            lines += ["    SSLEngine on", f"    SSLCertificateFile {self.folder}/site.pem"]
        return _SITE.format(port=site.port, scheme=site.scheme, settings="\n".join(lines))


def _require_apache() -> None:
    if (MODULES / "mod_auth_openidc.so").exists():
        return
    if sys.platform == "darwin":
        pytest.skip("Homebrew has no mod_auth_openidc")
    raise FileNotFoundError("There is no mod_auth_openidc. Install it: apt-get install libapache2-mod-auth-openidc")
