"""Keys, clients and settings of two servers on one PostgreSQL database: a change on one is a change on both."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import requests

from support.application import Application
from support.concurrency import at_once, wait_until
from support.nodes import SECRET
from support.portico import Portico, said
from support.postgres import PostgresServer
from support.tenant import API, MACHINE, tenant


def test_a_rotation_of_keys_reaches_both_nodes(first: Portico, second: Portico) -> None:
    kids = _kids(first)
    before = _service_token(first)
    first.command("keys", "rotate")
    wait_until(lambda: _kids(first) != kids and _kids(second) != kids)
    assert _kids(first) == _kids(second)
    wait_until(lambda: _kid(_service_token(first)) == _kid(_service_token(second)) != _kid(before))
    for token in (before, _service_token(first), _service_token(second)):
        for node in (first, second):
            _verify(token, node)


def test_nobody_notices_a_rotation_who_verifies_at_the_other_node(first: Portico, second: Portico) -> None:
    is_over = threading.Event()
    pairs = [(first, second), (second, first)] * 2
    counts = [0] * len(pairs)

    def use(user: int, issuing: Portico, publishing: Portico) -> None:
        while not is_over.is_set():
            _verify(_service_token(issuing), publishing)
            counts[user] += 1

    with ThreadPoolExecutor(len(pairs)) as pool:
        users = [pool.submit(use, user, *pair) for user, pair in enumerate(pairs)]
        try:
            for _ in range(4):
                kids, before = _kids(first), list(counts)
                first.command("keys", "rotate")
                wait_until(lambda: _kids(first) == _kids(second) != kids)
                wait_until(
                    lambda: any(user.done() for user in users)
                    or all(now > then + 1 for now, then in zip(counts, before)))
        finally:
            is_over.set()
    for user in users:
        user.result()


def test_both_nodes_honour_a_new_callback(first: Portico, second: Portico) -> None:
    callback = "https://new.example.com/callback"
    applications = [Application(node, callback=callback) for node in (first, second)]
    assert [_status(application) for application in applications] == [403, 403]
    changed = tenant()
    changed["clients"][0]["callbacks"].append(callback)
    second.apply(changed)
    wait_until(lambda: [_status(application) for application in applications] == [302, 302])
    assert "refresh_token" in applications[0].tokens(first.create_user())


def test_first_starts_at_the_same_time_share_one_installation(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    database = postgres_server.new_schema()
    nodes = [Portico(tmp_path / f"node{number}", database=database, secret=SECRET) for number in range(10)]
    servers, others = nodes[:7], nodes[7:]
    file = nodes[0].write(tenant())
    try:
        done = at_once(
            *[node.start for node in servers],
            *[lambda node=node: node.run("apply", "--yes", str(file)) for node in others], count=len(nodes))
        # Of those who apply at once, whoever comes second may read that the plan is out of date.
        assert all(each.returncode == 0 or "Run apply again" in each.stderr for each in done[7:]), done[7:]
        # The servers' first starts write to the tenant too, here each with an address of its own, so all may have read it.
        if not any(each.returncode == 0 for each in done[7:]):
            assert others[0].run("apply", "--yes", str(file)).returncode == 0
        assert "Nothing to change." in nodes[0].apply(tenant())
        assert len({frozenset(_kids(node)) for node in servers}) == 1
        wait_until(lambda: all(_token_response(node).status_code == 200 for node in servers))
    finally:
        for node in servers:
            node.stop()


def test_a_node_with_another_secret_does_not_start(first: Portico, tmp_path: Path) -> None:
    stranger = Portico(tmp_path, database=first.database, secret="another-" * 8)
    done = stranger.run("serve", "--issuer", first.issuer, "--listen", f"127.0.0.1:{stranger.port}", timeout=30)
    assert done.returncode == 1 and "PORTICO_SECRET" in said(done)
    assert SECRET not in said(done) and "another-" not in said(done)


def test_a_node_without_the_secret_does_not_make_one_of_its_own(first: Portico, tmp_path: Path) -> None:
    stranger = Portico(tmp_path, database=first.database)
    done = stranger.run("serve", "--issuer", first.issuer, "--listen", f"127.0.0.1:{stranger.port}", timeout=30)
    assert done.returncode == 1 and "PORTICO_SECRET" in said(done)


def test_schemas_of_one_database_are_tenants_that_know_nothing_of_each_other(
    first: Portico, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    email = first.create_user()
    other = Portico(tmp_path, database=postgres_server.new_schema(), secret=SECRET)
    other.apply(tenant())
    assert email in first.command("users", "list", "--limit", "1000")
    assert email not in other.command("users", "list", "--limit", "1000")
    other.start()
    try:
        code = Application(first).code(email)
        assert Application(other).redeem(code).json()["error"] == "invalid_grant"
        assert not _kids(first) & _kids(other)
    finally:
        other.stop()


def _status(application: Application) -> int:
    return requests.get(application.authorization_url(), allow_redirects=False).status_code


def _token_response(node: Portico) -> requests.Response:
    return Application(node, MACHINE).token(grant_type="client_credentials", audience=API)


def _service_token(node: Portico) -> str:
    return _token_response(node).json()["access_token"]


def _kid(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


def _kids(node: Portico) -> set[str]:
    return {key["kid"] for key in Application(node).jwks()["keys"]}


def _verify(token: str, node: Portico) -> None:
    key = next(key for key in Application(node).jwks()["keys"] if key["kid"] == _kid(token))
    jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=API, issuer=node.issuer)
