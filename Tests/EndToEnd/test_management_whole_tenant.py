"""auth0-python's management client, unmodified, makes a whole tenant; then people and machines sign in to it."""

import io
import json
import time

import jwt
from auth0.authentication import GetToken
from auth0.management import ManagementClient

from support.application import Application
from support.portico import PASSWORD, Portico
from support.tenant import CALLBACK, Client

API = "https://library.example.com/"
RULE = "function (user, context, callback) { callback(null, user, context); }"
ACTION = "exports.onExecutePostLogin = async (event, api) => {};"
PEOPLE = 1000


def test_a_whole_tenant_is_made_and_the_flows_run_on_it(server: Portico, management: ManagementClient) -> None:
    # What people sign in to, and with.
    management.resource_servers.create(
        identifier=API, name="Library", signing_alg="RS256", allow_offline_access=True, enforce_policies=True,
        token_dialect="access_token_authz", skip_consent_for_verifiable_first_party_clients=True,
        scopes=[{"value": "read:books", "description": "Read books"}, {"value": "lend:books"}])
    app = management.clients.create(
        name="Reading Room", app_type="regular_web", callbacks=[CALLBACK], is_first_party=True, oidc_conformant=True,
        token_endpoint_auth_method="client_secret_post", grant_types=["authorization_code", "refresh_token"])
    robot = management.clients.create(
        name="Shelf Robot", app_type="non_interactive", grant_types=["client_credentials"])
    management.client_grants.create(client_id=robot.client_id, audience=API, scope=["read:books"])
    readers = management.connections.create(name="Readers", strategy="auth0", enabled_clients=[app.client_id])

    # A thousand people, and the one among them who lends.
    lines = "".join(json.dumps({
        "email": f"reader{number:04}@example.com", "email_verified": True, "user_id": f"reader{number:04}",
        "name": f"Reader {number}", "app_metadata": {"shelf": number % 10},
    }) + "\n" for number in range(PEOPLE))
    job = management.jobs.users_imports.create(
        connection_id=readers.id, users=("users.json", io.BytesIO(lines.encode())), send_completion_email=False)
    until = time.monotonic() + 120
    while (state := management.jobs.get(job.id)).status in ("pending", "processing"):
        assert time.monotonic() < until, state
        time.sleep(0.2)
    assert state.status == "completed" and state.summary.inserted == PEOPLE, state
    assert [user.email for user in management.users.list(sort="email:1", per_page=100)] == [
        f"reader{number:04}@example.com" for number in range(PEOPLE)]
    assert len(list(management.users.list(q="app_metadata.shelf:7", per_page=50))) == PEOPLE // 10
    found = list(management.users.list(q='email:"reader0123@example.com"'))
    assert [user.name for user in found] == ["Reader 123"]
    reader = found[0].user_id
    management.users.update(reader, password=PASSWORD)
    management.users.update(reader, user_metadata={"language": "eo"}, app_metadata={"shelf": 99})
    assert [user.user_id for user in management.users.list(q="app_metadata.shelf:99")] == [reader]
    management.users.delete("auth0|reader0999")
    assert list(management.users.list(q='user_id:"auth0|reader0999"')) == []

    librarian = management.roles.create(name="Librarian", description="Lends books")
    management.roles.permissions.add(librarian.id, permissions=[
        {"resource_server_identifier": API, "permission_name": "read:books"},
        {"resource_server_identifier": API, "permission_name": "lend:books"},
    ])
    management.users.roles.assign(reader, roles=[librarian.id])

    branch = management.organizations.create(
        name="north-branch", display_name="North Branch", metadata={"city": "Hull"},
        enabled_connections=[{"connection_id": readers.id, "assign_membership_on_login": True}])
    management.organizations.members.create(branch.id, members=[reader])
    management.organizations.members.roles.assign(branch.id, reader, roles=[librarian.id])
    assert [one.user_id for one in management.organizations.members.list(branch.id)] == [reader]
    assert [one.name for one in management.users.organizations.list(reader)] == ["north-branch"]

    # What is to run at a login is kept; until the server can run it, it must not be enabled or bound.
    rule = management.rules.create(name="Stamp", script=RULE, enabled=False)
    management.rules_configs.set("STAMP_KEY", value="a secret of the rule's")
    assert [one.key for one in management.rules_configs.list()] == ["STAMP_KEY"]
    action = management.actions.create(
        name="Greeting", supported_triggers=[{"id": "post-login", "version": "v3"}], code=ACTION,
        secrets=[{"name": "KEY", "value": "a secret of the action's"}])
    management.actions.deploy(action.id)
    assert management.actions.get(action.id).all_changes_deployed
    assert [one.id for one in management.rules.list()] == [rule.id]

    management.tenants.settings.update(friendly_name="Public Library", default_directory="Readers")

    # The people's flow.
    room = Application(server, Client(app.name, app.client_id, app.client_secret))
    tokens = room.tokens(
        "reader0123@example.com", audience=API, scope="openid email offline_access read:books lend:books")
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert claims["aud"] == [API, f"{server.issuer}userinfo"]
    assert sorted(claims["permissions"]) == ["lend:books", "read:books"]
    assert jwt.decode(tokens["id_token"], options={"verify_signature": False})["sub"] == reader
    refreshed = room.refresh(tokens["refresh_token"])
    assert refreshed.status_code == 200

    # The machine's.
    robots = GetToken(server.domain, robot.client_id, robot.client_secret).client_credentials(API)
    assert robots["scope"] == "read:books"

    # What is taken back is gone.
    management.roles.delete(librarian.id)
    again = jwt.decode(
        room.refresh(refreshed.json().get("refresh_token", tokens["refresh_token"])).json()["access_token"],
        options={"verify_signature": False})
    assert again["permissions"] == []
    for delete, thing in [
        (management.organizations.delete, branch.id), (management.actions.delete, action.id),
        (management.rules.delete, rule.id), (management.connections.delete, readers.id),
        (management.clients.delete, app.client_id), (management.clients.delete, robot.client_id),
    ]:
        delete(thing)
    assert list(management.users.list(q="name:reader*")) == []
    assert list(management.organizations.list()) == []
