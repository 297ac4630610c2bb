"""`portico copy`: a tenant moves to another database, and nobody who uses it notices."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jwt
import pytest

from support.application import Application
from support.copies import (
    contents, contents_of_schema, copy, expect_refusal, expect_report, file_of, has_schema, named, reported, run_copy,
    schema_of
)
from support.portico import Portico, said
from support.postgres import PostgresServer
from support.tenant import API, tenant
from support.visitor import Visitor, told

pytestmark = pytest.mark.sqlite

PASSWORD = "the-password-of-the-database"
Make = Callable[..., Portico]


@pytest.fixture
def source(new_portico: Make) -> Portico:
    """An installation on SQLite with a tenant and two users."""
    portico = new_portico("source")
    portico.apply(tenant())
    for name in ("Ada Lovelace", "Zoë Ångström-李 🎈"):
        portico.create_user(name=name)
    return portico


class Stay:
    """What a person and an application have in hand while the server moves."""

    def __init__(self, portico: Portico, email: str):
        self.portico, self.email = portico, email
        self.visitor, self.application = Visitor(portico), Application(portico)
        self.used_code = self.application.code(email)
        assert self.application.redeem(self.used_code).status_code == 200
        self.tokens = self.application.tokens(email, self.visitor)
        self.code = self.application.code(email, self.visitor)
        self.keys = self.application.jwks()

    def go_on(self) -> None:
        """Everything that was in hand works, once each, and what was used stays used."""
        ask = self.application
        assert ask.jwks() == self.keys
        token = self.tokens["access_token"]
        [key] = [key for key in self.keys["keys"] if key["kid"] == jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=API, issuer=self.portico.issuer)
        userinfo = ask.http.get(f"{self.portico.url}userinfo", headers={"Authorization": f"Bearer {token}"})
        assert userinfo.json()["sub"] == claims["sub"]

        silent = told(self.visitor.open(ask.authorization_url(prompt="none")))
        assert ask.redeem(silent["code"]).status_code == 200
        renewed = ask.refresh(self.tokens["refresh_token"])
        assert renewed.status_code == 200, renewed.text
        assert ask.refresh(renewed.json()["refresh_token"]).status_code == 200
        assert ask.redeem(self.code).status_code == 200
        for code in (self.code, self.used_code):
            assert ask.redeem(code).json()["error"] == "invalid_grant"
        # The password as well, not only what a login has left behind.
        assert "code" in Visitor(self.portico).sign_in(ask.authorization_url(), self.email)


def test_people_and_applications_go_on_on_the_copy_and_on_the_copy_of_the_copy(
    source: Portico, new_portico: Make, postgres_server: PostgresServer
) -> None:
    place, email = {"port": source.port, "issuer": source.issuer}, source.create_user()
    stay = Stay(source.start(), email)
    assert source.stop() == 0
    before, url = contents(file_of(source)), postgres_server.new_schema()

    expect_report(copy(source, named(file_of(source)), url), file_of(source))
    assert contents(file_of(source)) == before
    secret = (source.data / "secret").read_text().strip()
    there = new_portico("there", database=url, secret=secret, **place).start()
    stay.portico = stay.application.portico = stay.visitor.portico = there
    stay.go_on()
    stay = Stay(there, email)
    assert there.stop() == 0

    back = new_portico("back", **place)
    back.data.mkdir(mode=0o700)
    (source.data / "secret").rename(back.data / "secret")
    expect_report(copy(back, url, named(file_of(back))), file_of(back))
    back.start()
    stay.portico = stay.application.portico = stay.visitor.portico = back
    stay.go_on()
    assert "BAD" not in back.command("doctor", PORTICO_ISSUER=back.issuer)


def test_a_copy_of_a_copy_is_equal_in_every_row(source: Portico, postgres_server: PostgresServer) -> None:
    url, back = postgres_server.new_schema(), source.folder / "back.sqlite"
    there = copy(source, named(file_of(source)), url)
    again = copy(source, url, named(back))
    assert reported(there) == reported(again)
    assert reported(there).keys() == contents(file_of(source)).keys() - {"schema_migration"}
    assert contents(file_of(source)) == contents(back)
    assert back.stat().st_mode & 0o077 == 0, "others may read the copy"
    assert "interrupted" not in there.stdout + again.stdout


def test_a_target_that_is_not_empty_is_refused_and_stays_as_it_is(
    source: Portico, new_portico: Make, postgres_server: PostgresServer
) -> None:
    for other in (new_portico("schema", database=postgres_server.new_schema()), new_portico("file")):
        other.apply(tenant())
        other.create_user()
        before = _contents(postgres_server, other.database or file_of(other))
        expect_refusal(source, named(file_of(source)), other.database or named(file_of(other)), "not empty")
        assert _contents(postgres_server, other.database or file_of(other)) == before


@pytest.mark.parametrize("kind", ["schema", "file"])
def test_what_belongs_to_somebody_else_is_neither_target_nor_source(
    source: Portico, postgres_server: PostgresServer, tmp_path: Path, kind: str
) -> None:
    theirs = ["CREATE TABLE {}tenant (name TEXT)", "INSERT INTO {}tenant VALUES ('somebody else')"]
    if kind == "schema":
        place = postgres_server.new_schema()
        prefix = f"{schema_of(place)}."
        postgres_server.execute(
            f"CREATE SCHEMA {schema_of(place)}", *[statement.format(prefix) for statement in theirs])
    else:
        place = tmp_path / "theirs.sqlite"
        with closing(sqlite3.connect(place)) as database, database:
            for statement in theirs:
                database.execute(statement.format(""))
    expect_refusal(source, named(file_of(source)), named(place))
    expect_refusal(source, named(place), named(tmp_path / "ours.sqlite"))
    assert _contents(postgres_server, place) == {"tenant": [("somebody else",)]}


def test_an_empty_file_is_no_source(source: Portico, tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    expect_refusal(source, named(empty), named(tmp_path / "target.sqlite"), str(empty))
    assert empty.stat().st_size == 0


def test_a_source_file_that_is_missing_is_named_and_not_made(
    source: Portico, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    missing, url = tmp_path / "mising.sqlite", postgres_server.new_schema()
    expect_refusal(source, named(missing), url, str(missing))
    assert not missing.exists() and not has_schema(postgres_server, url)


def test_a_source_schema_that_is_misspelt_is_named_and_not_made(
    source: Portico, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url, target = postgres_server.new_schema(), tmp_path / "target.sqlite"
    expect_refusal(source, url, named(target), schema_of(url))
    assert not has_schema(postgres_server, url) and not target.exists()


def test_the_same_database_is_no_target(source: Portico, postgres_server: PostgresServer) -> None:
    file, link, url = file_of(source), source.folder / "link.sqlite", postgres_server.new_schema()
    before, relative = contents(file), Path(os.path.relpath(file, source.folder))
    link.symlink_to(file)
    for target in (file, relative):
        expect_refusal(source, named(file), named(target), "the same database")
    expect_refusal(source, named(file), named(link))
    assert contents(file) == before

    copy(source, named(file), url)
    before = contents_of_schema(postgres_server, url)
    expect_refusal(source, url, url, "the same database")
    expect_refusal(source, url, url.replace("127.0.0.1", "localhost"))
    assert contents_of_schema(postgres_server, url) == before


def test_no_password_of_an_address_is_printed_or_kept(
    source: Portico, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    file = named(file_of(source))
    url = postgres_server.new_schema(f"portico:{PASSWORD}")
    unreachable, nowhere = url.replace(f":{postgres_server.port}/", ":1/"), url.replace("/portico?", "/nowhere?")
    for done in (
        run_copy(source, unreachable, url), run_copy(source, file, unreachable), run_copy(source, file, nowhere),
        run_copy(source, url, url), run_copy(source, url, named(tmp_path / "none.sqlite")),
        run_copy(source, file, f"{url}&sslmode=verify-everything"), copy(source, file, url),
        run_copy(source, file, url), copy(source, url, named(tmp_path / "target.sqlite")),
        run_copy(source, f"{nowhere.replace(f':{PASSWORD}', '')}&password={PASSWORD}", file),
    ):
        assert PASSWORD not in said(done)
    assert PASSWORD not in repr(_contents(postgres_server, url))


@pytest.mark.parametrize(
    "password", [f"100%{PASSWORD}", f"is?{PASSWORD}", f"[{PASSWORD}", f"a@{PASSWORD}", f"a/{PASSWORD}", f"a:{PASSWORD}"],
    ids=["percent", "question mark", "bracket", "at", "slash", "colon"])
def test_a_password_that_should_have_been_encoded_is_not_printed_either(
    source: Portico, postgres_server: PostgresServer, tmp_path: Path, password: str
) -> None:
    url = postgres_server.new_schema(f"portico:{password}")
    for done in (
        run_copy(source, url, named(tmp_path / "none.sqlite")), run_copy(source, named(file_of(source)), url),
        run_copy(source, url, url),
    ):
        assert PASSWORD not in said(done)


@pytest.mark.parametrize("name", ["portico.sqlite", "mysql://portico@localhost/portico", "sqlite:", "postgres://[", ""])
def test_what_is_no_database_is_refused(source: Portico, name: str) -> None:
    expect_refusal(source, name, named(file_of(source)), "--from")
    expect_refusal(source, named(file_of(source)), name, "--to")


def _contents(server: PostgresServer, place: Path | str) -> dict[str, list[tuple]]:
    return contents(place) if isinstance(place, Path) else contents_of_schema(server, place)
