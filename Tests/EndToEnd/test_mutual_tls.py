"""Mutual TLS (RFC 8705): nginx ends the connections, with certificates that openssl has made."""

import base64
import hashlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import jwt
import pytest
import requests

from support.nginx import Nginx
from support.portico import PASSWORD, Portico, said
from support.tenant import API, CONNECTION, DASHBOARD, MACHINE, tenant

REALM = "http://auth0.com/oauth/grant-type/password-realm"


class Certificate:
    """A certificate and its key in files; `authority` signs it, or it signs itself."""

    def __init__(self, folder: Path, name: str, subject: str, authority: "Certificate | None" = None):
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(self.key)]
        naming = ["-utf8", "-subj", subject]
        if authority is None:
            _openssl("req", "-x509", *new_key, *naming, "-days", "2", "-out", str(self.certificate))
            return
        request = folder / f"{name}.csr"
        _openssl("req", *new_key, *naming, "-out", str(request))
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(authority.certificate), "-CAkey", str(authority.key),
            "-CAcreateserial", "-days", "2", "-out", str(self.certificate))

    @property
    def pair(self) -> tuple[str, str]:
        return str(self.certificate), str(self.key)

    @property
    def subject(self) -> str:
        """The name as openssl writes it."""
        shown = _openssl("x509", "-in", str(self.certificate), "-noout", "-subject", "-nameopt", "RFC2253")
        return shown.strip().removeprefix("subject=")

    @property
    def thumbprint(self) -> str:
        der = subprocess.run(
            ["openssl", "x509", "-in", str(self.certificate), "-outform", "DER"], check=True, capture_output=True)
        return base64.urlsafe_b64encode(hashlib.sha256(der.stdout).digest()).rstrip(b"=").decode()


@dataclass
class Clinic:
    """Portico behind nginx, and the certificates of its clients: `reminder`'s is signed, `dashboard`'s is not."""

    portico: Portico
    nginx: Nginx
    reminder: Certificate
    dashboard: Certificate
    folder: Path
    authority: Certificate

    def ask(
        self, path: str, certificate: Certificate | None = None, *, at: str | None = None, headers: dict | None = None,
        **form: str
    ) -> requests.Response:
        """Posts a form, or gets the address where there is none."""
        return requests.request(
            "POST" if form else "GET", f"{at or self.nginx.mtls}{path}", data=form or None, headers=headers,
            cert=certificate.pair if certificate else None, verify=str(self.nginx.ca), timeout=20)

    def remind(self, certificate: Certificate | None = None, **options) -> requests.Response:
        """The machine's token request, without any secret."""
        return self.ask(
            "oauth/token", certificate, client_id=MACHINE.id, grant_type="client_credentials", audience=API, **options)


@pytest.fixture
def clinic(new_portico: Callable[..., Portico], tmp_path: Path) -> Iterator[Clinic]:
    authority = Certificate(tmp_path, "authority", "/O=Authority of the clients")
    reminder = Certificate(tmp_path, "reminder", "/C=DE/O=Klinik Süd, GmbH/CN=Reminder+OU=IT", authority)
    dashboard = Certificate(tmp_path, "dashboard", "/CN=dashboard")
    nginx = Nginx(tmp_path / "nginx")
    portico = new_portico(issuer=nginx.issuer)
    portico.apply(_tenant(reminder, dashboard))
    portico.start(**nginx.settings)
    nginx.start(portico, authority.certificate)
    yield Clinic(portico, nginx, reminder, dashboard, tmp_path, authority)
    nginx.stop()


def test_a_client_proves_itself_with_the_name_in_its_certificate(clinic: Clinic) -> None:
    answer = clinic.remind(clinic.reminder)
    assert answer.status_code == 200, answer.text
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["azp"] == MACHINE.id
    assert claims["cnf"] == {"x5t#S256": clinic.reminder.thumbprint}

    subject = "/C=DE/O=Klinik Süd, GmbH/CN=Reminder+OU=IT"
    for stranger in [
        None, clinic.dashboard, Certificate(clinic.folder, "self-signed", subject),
        Certificate(clinic.folder, "other", "/C=DE/O=Klinik Süd, GmbH/CN=Reminder", clinic.authority),
        Certificate(clinic.folder, "foreign", subject, Certificate(clinic.folder, "foreign-authority", "/O=Foreign")),
    ]:
        answer = clinic.remind(stranger)
        assert answer.status_code == 401 and answer.json()["error"] == "invalid_client", answer.text


def test_what_clients_write_into_the_proxy_s_headers_counts_for_nothing(clinic: Clinic) -> None:
    forged = {"Client-Cert": quote(clinic.reminder.certificate.read_text()), "Client-Cert-Verified": "SUCCESS"}
    # Through the site that takes certificates, through the other one, and past the proxy.
    for address in [clinic.nginx.mtls, clinic.nginx.issuer, clinic.portico.url]:
        answer = clinic.remind(at=address, headers=forged)
        assert answer.status_code == 401 and answer.json()["error"] == "invalid_client", answer.text
    assert clinic.remind(clinic.dashboard, headers=forged).status_code == 401
    assert clinic.remind(clinic.reminder, headers={"Client-Cert": "x"}).status_code == 200
    for endless in ["A" * 60_000, "A" * 1_000_000]:
        try:
            assert clinic.remind(at=clinic.portico.url, headers={"Client-Cert": endless}).status_code >= 400
        except requests.ConnectionError:
            pass
    assert clinic.remind(clinic.reminder).status_code == 200
    assert "trusted-proxies" in clinic.portico.server.text()


def test_a_self_signed_certificate_proves_a_client_and_binds_its_tokens(clinic: Clinic) -> None:
    discovery = clinic.ask(".well-known/openid-configuration", at=clinic.nginx.issuer).json()
    assert discovery["tls_client_certificate_bound_access_tokens"] is True
    assert {"tls_client_auth", "self_signed_tls_client_auth"} < set(discovery["token_endpoint_auth_methods_supported"])
    aliases = discovery["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"{clinic.nginx.mtls}oauth/token"
    form = {
        "client_id": DASHBOARD.id, "grant_type": REALM, "realm": CONNECTION, "username": clinic.portico.create_user(),
        "password": PASSWORD, "scope": "openid email",
    }
    twin = Certificate(clinic.folder, "twin", "/CN=dashboard")
    assert clinic.ask("oauth/token", twin, **form).status_code == 401
    tokens = clinic.ask("oauth/token", clinic.dashboard, **form)
    assert tokens.status_code == 200, tokens.text
    bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
    known = requests.get(
        aliases["userinfo_endpoint"], headers=bearer, cert=clinic.dashboard.pair, verify=str(clinic.nginx.ca),
        timeout=20)
    assert known.status_code == 200 and known.json()["email"] == form["username"], known.text

    forged = bearer | {"Client-Cert": quote(clinic.dashboard.certificate.read_text())}
    for answer in [
        clinic.ask("userinfo", headers=bearer), clinic.ask("userinfo", twin, headers=bearer),
        clinic.ask("userinfo", at=clinic.nginx.issuer, headers=forged),
        clinic.ask("userinfo", at=clinic.portico.url, headers=forged),
    ]:
        assert answer.status_code == 401 and "certificate" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("settings", "problem"), [
    ({"PORTICO_CLIENT_CERTIFICATE_HEADER": "Client-Cert"}, "client-certificate-header: needs trusted-proxies"),
    ({"PORTICO_CLIENT_CERTIFICATE_VERIFIED_HEADER": "V"}, "needs client-certificate-header"),
    ({"PORTICO_MTLS_URL": "https://mtls.example.com/"}, "mtls-url: needs client-certificate-header"),
    (
        {"PORTICO_CLIENT_CERTIFICATE_HEADER": "Client Cert", "PORTICO_TRUSTED_PROXIES": "127.0.0.1"},
        "must be two names of headers",
    ),
])
def test_settings_that_would_believe_anybody_end_the_start(
    new_portico: Callable[..., Portico], settings: dict[str, str], problem: str
) -> None:
    done = new_portico().run("serve", "--listen", "127.0.0.1:0", **settings)
    assert done.returncode != 0 and problem in said(done)


def test_doctor_tells_which_clients_cannot_show_their_certificates(clinic: Clinic) -> None:
    assert "certificate of its connection" not in said(clinic.portico.run("doctor", **clinic.nginx.settings))
    untold = said(clinic.portico.run("doctor"))
    for client in [MACHINE, DASHBOARD]:
        assert f"{client.name}: it needs the certificate of its connection" in untold


def _tenant(reminder: Certificate, dashboard: Certificate) -> dict:
    made = tenant()
    clients = {client["client_id"]: client for client in made["clients"]}
    for client, method, credential in [
        (MACHINE, "tls_client_auth", {"credential_type": "cert_subject_dn", "subject_dn": reminder.subject}),
        (
            DASHBOARD, "self_signed_tls_client_auth",
            {"credential_type": "x509_cert", "pem": dashboard.certificate.read_text()},
        ),
    ]:
        del clients[client.id]["client_secret"], clients[client.id]["token_endpoint_auth_method"]
        clients[client.id]["client_authentication_methods"] = {method: {"credentials": [credential]}}
        clients[client.id]["tls_client_certificate_bound_access_tokens"] = True
    return made


def _openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
