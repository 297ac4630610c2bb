"""What the commands say of themselves, and of what keeps them from working."""

import re
import stat
from pathlib import Path

import pytest

from support.portico import Portico, said
from support.programs import REPOSITORY
from support.tenant import tenant

COMMANDS = [
    [], ["serve"], ["plan"], ["apply"], ["history"], ["rollback"], ["export"],
    ["migrate"], ["migrate", "auth0"], ["migrate", "status"],
    ["users"], ["users", "create"], ["users", "import"], ["users", "list"],
    ["scripts"], ["scripts", "test"],
    ["keys"], ["keys", "list"], ["keys", "rotate"], ["logs"], ["copy"], ["doctor"], ["version"],
]
SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.mark.parametrize("command", COMMANDS, ids=[" ".join(["portico", *command]) for command in COMMANDS])
def test_every_command_explains_itself_with_an_example(new_portico, command: list[str]) -> None:
    portico = new_portico()
    text = portico.command(*command, "--help")
    examples = re.search(r"^EXAMPLES?\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert examples and " ".join(["  portico", *command]) in examples[1]
    assert not portico.data.exists(), "asking for help makes nothing"


def test_the_list_of_commands_is_complete(new_portico) -> None:
    listed = re.findall(r"^  (\w+)  ", new_portico().command("--help").split("SUBCOMMANDS:")[1], re.MULTILINE)
    assert set(listed) == {command[0] for command in COMMANDS if command}


def test_the_version_is_printed(new_portico) -> None:
    assert re.fullmatch(r"portico \d+\.\d+\.\d+\n", new_portico().command("version"))


@pytest.mark.parametrize(
    "issuer",
    ["login.example.com", "ftp://example.com/", "https://example.com/tenant", "https://Example.com/",
     "https://a.example/?b"])
def test_an_issuer_that_is_none_is_refused_with_an_example(new_portico, issuer: str) -> None:
    done = new_portico().run("serve", "--issuer", issuer)
    assert done.returncode == 1
    assert "issuer" in said(done) and f"'{issuer}" in said(done) and "https://login.example.com/" in said(done)


@pytest.mark.parametrize("address", ["8080", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http"])
def test_an_address_to_listen_on_that_is_none_is_refused(new_portico, address: str) -> None:
    done = new_portico().run("serve", "--listen", address)
    assert done.returncode == 1 and "listen" in said(done) and address in said(done)


def test_a_port_in_use_is_said_with_what_to_do(own_portico: Portico, new_portico) -> None:
    address = f"127.0.0.1:{own_portico.port}"
    done = new_portico("second").run("serve", "--issuer", own_portico.issuer, "--listen", address)
    assert done.returncode == 1
    assert address in said(done) and "--listen" in said(done)


def test_another_secret_does_not_start_on_the_same_data(new_portico) -> None:
    portico = new_portico()
    portico.start(PORTICO_SECRET=SECRET)
    portico.stop()
    done = portico.run(
        "serve", "--issuer", portico.issuer, "--listen", f"127.0.0.1:{portico.port}", PORTICO_SECRET="another-" * 8)
    assert done.returncode == 1 and "PORTICO_SECRET" in said(done)
    assert SECRET not in said(done) and "another-" not in said(done)
    portico.start(PORTICO_SECRET=SECRET)


def test_a_short_secret_is_refused_with_a_way_to_make_one(new_portico) -> None:
    done = new_portico().run("serve", PORTICO_SECRET="short")
    assert done.returncode == 1 and "32 characters" in said(done) and "openssl rand" in said(done)


def test_a_database_of_a_newer_version_is_left_alone(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    [(future,)] = portico.query(
        "INSERT INTO schema_migration (number, name) SELECT MAX(number) + 1, 'of the future' FROM schema_migration"
        " RETURNING number")
    for command in (["serve", "--listen", f"127.0.0.1:{portico.port}"], ["export"], ["doctor"]):
        done = portico.run(*command)
        assert done.returncode == 1, command
        assert f"schema {future}" in said(done) and "newer" in said(done)


def test_a_folder_that_cannot_be_made_is_named(new_portico, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = new_portico().run("export", "--data", str(tmp_path / "file" / "data"))
    assert done.returncode == 1 and str(tmp_path / "file" / "data") in said(done) and "--data" in said(done)


def test_the_data_folder_is_for_its_owner_only(own_portico: Portico) -> None:
    assert stat.S_IMODE(own_portico.data.stat().st_mode) == 0o700
    for file in own_portico.data.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_an_unknown_command_and_an_unknown_flag_name_what_was_meant(new_portico) -> None:
    portico = new_portico()
    for arguments in (["aply"], ["serve", "--isuer", "x"]):
        done = portico.run(*arguments)
        assert done.returncode == 64 and "Usage" in said(done)


def test_the_demo_tenant_can_be_applied(new_portico) -> None:
    portico = new_portico()
    portico.command(
        "apply", "--yes", str(REPOSITORY / "examples" / "tenant.yaml"), DEMO_WEB_URL="http://localhost:3000",
        DEMO_CLIENT_SECRET="d" * 64, DEMO_M2M_SECRET="m" * 64,
        DEMO_MANAGEMENT_SECRET="a" * 64, DEMO_ISSUER="http://localhost:8080/")
