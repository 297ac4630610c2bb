"""auth0-python's management client, unmodified, configures a tenant."""

import json

import pytest
from auth0.authentication import GetToken
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

from support.application import Application
from support.portico import PASSWORD, Portico
from support.tenant import API, CONNECTION, MACHINE


def test_an_application_an_api_and_a_grant_come_to_a_token(server: Portico, management: ManagementClient) -> None:
    api = management.resource_servers.create(
        identifier="https://orders.example.com/", name="Orders", token_lifetime=3600,
        scopes=[{"value": "read:orders", "description": "Read orders"}, {"value": "write:orders"}])
    made = management.clients.create(
        name="Robot", app_type="non_interactive", grant_types=["client_credentials"],
        client_metadata={"team": "blue"})
    management.client_grants.create(
        client_id=made.client_id, audience=api.identifier, scope=["read:orders"])
    tokens = GetToken(server.domain, made.client_id, made.client_secret).client_credentials(api.identifier)
    assert tokens["scope"] == "read:orders" and tokens["expires_in"] == 3600

    assert management.resource_servers.get("https://orders.example.com/").id == api.id
    changed = management.clients.update(made.client_id, description="Fetches", client_metadata={"floor": "2"})
    assert changed.description == "Fetches" and changed.client_metadata == {"team": "blue", "floor": "2"}

    rotated = management.clients.rotate_secret(made.client_id)
    assert rotated.client_secret != made.client_secret
    GetToken(server.domain, made.client_id, rotated.client_secret).client_credentials(api.identifier)

    management.resource_servers.delete(api.id)
    assert list(management.client_grants.list(client_id=made.client_id)) == []
    management.clients.delete(made.client_id)
    with pytest.raises(ApiError) as gone:
        management.clients.get(made.client_id)
    assert gone.value.status_code == 404 and gone.value.body["errorCode"] == "inexistent_client"


def test_the_sdk_pages_through_lists(management: ManagementClient) -> None:
    names = {management.clients.create(name=f"Client {number}").name for number in range(60)}
    listed = [client.name for client in management.clients.list(per_page=7)]
    assert len(listed) == len(set(listed)) and names <= set(listed)
    for client in management.clients.list():
        if client.name in names:
            management.client_grants.create(client_id=client.client_id, audience=API, scope=["contacts"])
    assert len(list(management.client_grants.list(take=9, audience=API))) == 61
    assert {api.identifier for api in management.resource_servers.list(per_page=1)} >= {API}


def test_the_sdk_reads_what_is_refused(management: ManagementClient) -> None:
    with pytest.raises(ApiError) as wrong:
        management.clients.create(name="Wrong", callbacks=["no address"])
    assert wrong.value.status_code == 400 and "callbacks[0]" in wrong.value.body["message"]
    with pytest.raises(ApiError) as missing:
        management.users.get("auth0|x")
    assert missing.value.status_code == 404 and missing.value.body["errorCode"] == "inexistent_user"
    with pytest.raises(ApiError) as later:
        management.forms.list()
    assert later.value.status_code == 501
    with pytest.raises(ApiError) as forbidden:
        management.emails.provider.get()
    assert forbidden.value.status_code == 403
    with pytest.raises(ApiError) as there:
        management.client_grants.create(client_id=MACHINE.id, audience=API, scope=[])
    assert there.value.status_code == 409


def test_a_user_is_made_signs_in_and_is_looked_after(server: Portico, management: ManagementClient) -> None:
    user = management.users.create(
        connection=CONNECTION, email="grace@example.com", password=PASSWORD, given_name="Grace",
        app_metadata={"plan": "gold"})
    tokens = Application(server).tokens("grace@example.com")
    assert [session.user_id for session in management.users.sessions.list(user.user_id)] == [user.user_id]
    assert len(list(management.users.refresh_token.list(user.user_id))) == 1

    found = [one.user_id for one in management.users.list(q='app_metadata.plan:"gold" AND email:grace@*')]
    assert found == [user.user_id]
    assert management.users.list_users_by_email(email="grace@example.com")[0].user_id == user.user_id

    role = management.roles.create(name="Nurse", description="Helps")
    management.roles.permissions.add(
        role.id, permissions=[{"resource_server_identifier": API, "permission_name": "contacts"}])
    management.users.roles.assign(user.user_id, roles=[role.id])
    assert [one.name for one in management.users.roles.list(user.user_id)] == ["Nurse"]
    assert [one.permission_name for one in management.users.permissions.list(user.user_id)] == ["contacts"]
    assert [one.email for one in management.roles.users.list(role.id)] == ["grace@example.com"]

    second = management.users.create(connection=CONNECTION, email="hopper@example.com", password=PASSWORD)
    provider, _, identity = second.user_id.partition("|")
    linked = management.users.identities.link(user.user_id, provider=provider, user_id=identity)
    assert [one.user_id for one in linked][1] == identity
    assert Application(server).tokens("hopper@example.com")["access_token"]
    management.users.identities.delete(user.user_id, provider, identity)

    management.users.update(user.user_id, blocked=True)
    assert Application(server).token(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code in (400, 403)
    management.users.delete(user.user_id)
    with pytest.raises(ApiError) as gone:
        management.users.get(user.user_id)
    assert gone.value.status_code == 404


def test_the_sdk_pages_through_a_thousand_users(server: Portico, management: ManagementClient) -> None:
    users = server.folder / "users.json"
    users.write_text(json.dumps([{"email": f"user{number:04}@example.com"} for number in range(1000)]))
    server.command("users", "import", str(users), "--connection", CONNECTION)
    listed = [user.email for user in management.users.list(sort="email:1")]
    assert listed == [f"user{number:04}@example.com" for number in range(1000)]


def test_a_connection_the_keys_and_the_tenant(server: Portico, management: ManagementClient) -> None:
    connection = management.connections.create(name="Staff", strategy="auth0")
    management.connections.clients.update(connection.id, request=[{"client_id": MACHINE.id, "status": True}])
    assert [one.client_id for one in management.connections.clients.get(connection.id)] == [MACHINE.id]
    assert {one.name for one in management.connections.list()} == {CONNECTION, "Staff"}
    management.connections.delete(connection.id)

    management.tenants.settings.update(friendly_name="Clinic 2")
    assert management.tenants.settings.get().friendly_name == "Clinic 2"

    before = {key.kid: key for key in management.keys.signing.list()}
    rotated = management.keys.signing.rotate()
    assert before[rotated.kid].next


def test_rules_and_their_values(management: ManagementClient) -> None:
    script = "function (user, context, callback) { callback(null, user, context); }"
    first = management.rules.create(name="First", script=script, enabled=False)
    second = management.rules.create(name="Second", script=script, enabled=False, order=5)
    assert (first.order, second.order, second.stage) == (1, 5, "login_success")
    with pytest.raises(ApiError) as there:
        management.rules.create(name="Third", script=script, order=5)
    assert there.value.status_code == 409
    assert management.rules.update(first.id, order=7, name="Last").order == 7
    assert [rule.name for rule in management.rules.list(per_page=1)] == ["Second", "Last"]
    assert list(management.rules.list(enabled=True)) == []
    assert management.rules.get(second.id, fields="name").script is None
    management.rules.delete(second.id)
    management.rules.delete(first.id)
    assert list(management.rules.list()) == []

    management.rules_configs.set("API_KEY", value="never read back")
    assert [one.key for one in management.rules_configs.list()] == ["API_KEY"]
    management.rules_configs.delete("API_KEY")
    assert list(management.rules_configs.list()) == []


def test_an_action_is_deployed_bound_and_rolled_back(server: Portico, management: ManagementClient) -> None:
    made = management.actions.create(
        name="Roles", code="exports.onExecutePostLogin = async () => {};", runtime="node22",
        supported_triggers=[{"id": "post-login", "version": "v3"}],
        dependencies=[{"name": "axios", "version": "4.17.21"}], secrets=[{"name": "KEY", "value": "hidden"}])
    assert made.status == "built" and not made.all_changes_deployed and made.secrets[0].name == "KEY"
    assert management.actions.deploy(made.id).number == 1
    assert management.actions.update(made.id, code="exports.second = 2").all_changes_deployed is False
    assert management.actions.deploy(made.id).number == 2
    versions = list(management.actions.versions.list(made.id, per_page=1))
    assert [version.number for version in versions] == [2, 1]
    oldest = management.actions.versions.get(made.id, versions[1].id)
    assert oldest.code == made.code and not oldest.deployed
    assert management.actions.versions.deploy(made.id, oldest.id).number == 3
    assert management.actions.versions.deploy(made.id, oldest.id, request={"update_draft": True}).number == 4
    assert management.actions.get(made.id).code == made.code
    assert [one.name for one in management.actions.list(trigger_id="post-login", deployed=True)] == ["Roles"]

    assert "post-login" in {trigger.id for trigger in management.actions.triggers.list().triggers}
    bound = management.actions.triggers.bindings.update_many(
        "post-login", bindings=[{"ref": {"type": "action_name", "value": "Roles"}, "display_name": "Add roles"}])
    assert bound.bindings[0].action.id == made.id
    assert [one.display_name for one in management.actions.triggers.bindings.list("post-login")] == ["Add roles"]

    with pytest.raises(ApiError) as later:
        management.actions.test(made.id, payload={})
    assert later.value.status_code == 501
    with pytest.raises(ApiError) as held:
        management.actions.delete(made.id)
    assert held.value.status_code == 400
    management.actions.delete(made.id, force=True)
    assert list(management.actions.triggers.bindings.list("post-login")) == []
