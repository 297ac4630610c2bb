"""People of a directory, OpenLDAP's, sign in with the passwords that it knows."""

from collections.abc import Iterator

import jwt
import pytest
import requests

from support.certificates import Authority
from support.directory import Directory
from support.portico import Portico
from support.tenant import CALLBACK, WEB_APP, tenant
from support.visitor import Visitor, told


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    directory = Directory(tmp_path_factory.mktemp("slapd") / "server")
    directory.start()
    yield directory
    directory.stop()


@pytest.fixture(scope="module")
def portico(directory: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portico]:
    """Connections over ldaps, over StartTLS, without TLS, and to a directory that is not to be believed."""
    other = Authority("Another authority").certificate.decode()
    connections = {
        "secure": directory.options(directory.secure, ldap_search_groups="(member={0})"),
        "start-tls": directory.options(directory.plain),
        "open": directory.options(directory.plain, ldap_start_tls=False),
        "impostor": directory.options(directory.secure, ldap_ca_certificate=other),
    }
    document = tenant()
    document["connections"] = [
        {"name": name, "strategy": "ldap", "enabled_clients": [WEB_APP.name], "options": options}
        for name, options in connections.items()
    ]
    portico = Portico(tmp_path_factory.mktemp("ldap"))
    portico.apply(document)
    portico.start()
    yield portico
    portico.stop()


def page_of(portico: Portico, connection: str) -> tuple[Visitor, requests.Response]:
    visitor = Visitor(portico)
    url = (f"{portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={CALLBACK}"
           f"&scope=openid+profile+email&state=s&connection={connection}")
    return visitor, visitor.open(url)


def claims(portico: Portico, answer: dict[str, str]) -> dict:
    tokens = portico.http_session().post(f"{portico.url}oauth/token", timeout=20, data={
        "grant_type": "authorization_code", "client_id": WEB_APP.id, "client_secret": WEB_APP.secret,
        "code": answer["code"], "redirect_uri": CALLBACK}).json()
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})


def sign_in(portico: Portico, connection: str, name: str, password: str) -> requests.Response:
    visitor, page = page_of(portico, connection)
    return visitor.submit(page, username=name, password=password, action="default")


@pytest.mark.parametrize("connection", ["secure", "start-tls"])
@pytest.mark.parametrize("name", ["jane", "jane@example.org"])
def test_a_person_of_a_directory_signs_in(portico: Portico, connection: str, name: str) -> None:
    known = claims(portico, told(sign_in(portico, connection, name, "jane's password")))
    strategy, named, identifier = known["sub"].split("|")
    assert (strategy, named) == ("ldap", connection) and len(identifier) == 36
    assert known["email"] == "jane@example.org" and known["email_verified"] is False
    assert (known["name"], known["given_name"], known["nickname"]) == ("Jane Doe", "Jane", "jane")
    again = claims(portico, told(sign_in(portico, connection, name, "jane's password")))
    assert again["sub"] == known["sub"]


@pytest.mark.parametrize(("name", "password"), [
    ("jane", "joe's password"), ("nobody", "jane's password"), ("*", "jane's password"),
    ("jane)(uid=*", "jane's password"), ("jane", " "),
])
def test_a_wrong_name_or_password_stays_on_the_page(portico: Portico, name: str, password: str) -> None:
    page = sign_in(portico, "secure", name, password)
    assert page.status_code == 400 and "Wrong" in page.text and not page.is_redirect


@pytest.mark.parametrize("connection", ["open", "impostor"])
def test_a_directory_that_cannot_be_asked_lets_nobody_in(portico: Portico, connection: str) -> None:
    page = sign_in(portico, connection, "jane", "jane's password")
    assert page.status_code == 503 and not page.is_redirect
    assert "a directory does not say" in portico.server.text()
    assert "searching" not in portico.server.text() and "jane's password" not in portico.server.text()


def test_the_password_of_the_account_that_searches_is_not_in_the_database_nor_in_exports(portico: Portico) -> None:
    export = portico.command("export")
    assert "ldap_bind_user" in export and "searching" not in export
    rows = portico.query("SELECT * FROM connection")
    assert len(rows) >= 4 and "searching" not in repr(rows)
