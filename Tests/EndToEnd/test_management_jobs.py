"""auth0-python's management client, unmodified, imports and exports users in the background."""

import csv
import gzip
import io
import json
import signal
import time

import httpx
import pytest
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

from support.application import Application
from support.portico import Portico
from support.tenant import CONNECTION

# A killed node's job is somebody else's after a minute.
PATIENCE = 240


def connection(management: ManagementClient) -> str:
    return next(one.id for one in management.connections.list() if one.name == CONNECTION)


def finished(management: ManagementClient, job: str):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen = management.jobs.get(job)
        if seen.status in ("completed", "failed"):
            return seen
        time.sleep(0.2)
    raise AssertionError(f"{job} is not done after {PATIENCE} s")


def test_users_are_imported_and_sign_in(server: Portico, management: ManagementClient) -> None:
    there = server.create_user()
    users = [{"email": f"row{number}@example.com", "user_metadata": {"n": number}} for number in range(300)]
    users += [{"email": there}, {"email": "no address"}]
    job = management.jobs.users_imports.create(
        users=("users.json", json.dumps(users).encode()), connection_id=connection(management), upsert=False,
        external_id="first", send_completion_email=False)
    assert job.type == "users_import" and job.external_id == "first"
    done = finished(management, job.id)
    assert done.status == "completed" and done.percentage_done == 100
    assert (done.summary.inserted, done.summary.failed, done.summary.total) == (300, 2, 302)
    errors = management.jobs.errors.get(job.id)
    assert [one.errors[0].code for one in errors] == ["DUPLICATED_USER", "INVALID_FORMAT"]
    assert errors[0].user["email"] == there

    assert management.users.list_users_by_email(email="row7@example.com")[0].user_metadata == {"n": 7}
    assert Application(server).tokens(there)["access_token"]

    with pytest.raises(ApiError) as wrong:
        management.jobs.users_imports.create(users=b"[]", connection_id="con_unknown")
    assert wrong.value.status_code == 404


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_an_import_goes_on_after_a_restart(
        server: Portico, management: ManagementClient, sign: signal.Signals) -> None:
    users = [{"email": f"row{number}@example.com"} for number in range(6000)]
    job = management.jobs.users_imports.create(
        users=json.dumps(users).encode(), connection_id=connection(management))
    server.restart(sign)
    done = finished(management, job.id)
    assert done.status == "completed" and (done.summary.inserted, done.summary.failed) == (6000, 0)


def test_users_are_exported(server: Portico, management: ManagementClient) -> None:
    emails = sorted(server.create_user() for _ in range(2))
    job = management.jobs.users_exports.create(
        connection_id=connection(management), format="json",
        fields=[{"name": "email"}, {"name": "identities[0].connection", "export_as": "from"}])
    done = finished(management, job.id)
    fetched = httpx.get(done.location, verify=str(server.ca))
    lines = [json.loads(line) for line in gzip.decompress(fetched.content).splitlines()]
    assert sorted(line["email"] for line in lines) == emails
    assert {line["from"] for line in lines} == {CONNECTION}

    table = finished(management, management.jobs.users_exports.create(limit=1).id)
    text = gzip.decompress(httpx.get(table.location, verify=str(server.ca)).content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 1 and rows[0]["email"] in emails
    assert httpx.get(f"{done.location}x", verify=str(server.ca)).status_code == 403
