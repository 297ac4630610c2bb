"""auth0-python's organizations client, unmodified, with all of its methods that the server has."""

from urllib.parse import parse_qs, urlsplit

import pytest
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

from support.portico import PASSWORD, Portico
from support.tenant import API, CONNECTION, MACHINE, WEB_APP

_VERBS = {
    "organizations": "create read update delete", "organization_connections": "create read update delete",
    "organization_members": "create read delete", "organization_member_roles": "create read delete",
    "organization_invitations": "create read delete", "organization_client_grants": "create read delete",
}


@pytest.fixture
def managed_scopes() -> list[str]:
    return [f"{verb}:{resource}" for resource, verbs in _VERBS.items() for verb in verbs.split()]


def _connection(management: ManagementClient) -> str:
    return next(one.id for one in management.connections.list() if one.name == CONNECTION)


def test_organizations(management: ManagementClient) -> None:
    made = management.organizations.create(
        name="acme", display_name="Acme", metadata={"plan": "gold"},
        branding={"logo_url": "https://example.com/logo.png",
                  "colors": {"primary": "#102030", "page_background": "#ffffff"}},
        enabled_connections=[{"connection_id": _connection(management), "assign_membership_on_login": True}])
    assert made.id.startswith("org_") and made.enabled_connections[0].assign_membership_on_login
    assert management.organizations.get(made.id).branding.colors.primary == "#102030"
    assert management.organizations.get_by_name("acme").id == made.id
    changed = management.organizations.update(made.id, display_name="Acme Ltd", metadata={"plan": "silver"})
    assert changed.display_name == "Acme Ltd" and changed.metadata == {"plan": "silver"}
    for number in range(7):
        management.organizations.create(name=f"other-{number}")
    listed = [one.name for one in management.organizations.list(take=3, sort="name:-1")]
    assert listed == [f"other-{number}" for number in reversed(range(7))] + ["acme"]
    with pytest.raises(ApiError) as double:
        management.organizations.create(name="acme")
    assert double.value.status_code == 409 and double.value.body["errorCode"] == "organization_conflict"
    management.organizations.delete(made.id)
    with pytest.raises(ApiError) as gone:
        management.organizations.get(made.id)
    assert gone.value.status_code == 404


def test_the_connections_of_an_organization(management: ManagementClient) -> None:
    organization, connection = management.organizations.create(name="acme").id, _connection(management)
    enabled = management.organizations.enabled_connections
    assert enabled.add(organization, connection_id=connection).connection.name == CONNECTION
    changed = enabled.update(organization, connection, assign_membership_on_login=True, is_signup_enabled=True)
    assert changed.is_signup_enabled and enabled.get(organization, connection).assign_membership_on_login
    assert [one.connection_id for one in enabled.list(organization)] == [connection]
    enabled.delete(organization, connection)
    assert list(enabled.list(organization)) == []

    connections = management.organizations.connections
    connections.create(organization, connection_id=connection, organization_connection_name="Staff", is_enabled=False)
    assert [one.organization_connection_name for one in connections.list(organization, is_enabled=False)] == ["Staff"]
    assert connections.update(organization, connection, is_enabled=True).is_enabled
    assert connections.get(organization, connection).connection.strategy == "auth0"
    connections.delete(organization, connection)
    assert list(connections.list(organization)) == []


def test_members_and_their_roles(management: ManagementClient) -> None:
    organization = management.organizations.create(name="acme").id
    users = [
        management.users.create(connection=CONNECTION, email=f"member{number}@example.com", password=PASSWORD).user_id
        for number in range(5)
    ]
    members = management.organizations.members
    members.create(organization, members=users)
    role = management.roles.create(name="Nurse")
    members.roles.assign(organization, users[0], roles=[role.id])
    assert [one.name for one in members.roles.list(organization, users[0])] == ["Nurse"]
    listed = list(members.list(organization, take=2, fields="user_id,roles"))
    assert {one.user_id: [held.name for held in one.roles] for one in listed} == {
        user: ["Nurse"] if user == users[0] else [] for user in users}
    assert [one.user_id for one in management.organizations.roles.members.list(organization, role.id)] == [users[0]]
    assert [one.name for one in management.users.organizations.list(users[0])] == ["acme"]
    assert list(management.users.roles.list(users[0])) == []
    members.roles.delete(organization, users[0], roles=[role.id])
    assert list(members.roles.list(organization, users[0])) == []
    members.delete(organization, members=users[1:])
    assert [one.user_id for one in members.list(organization)] == [users[0]]


def test_client_grants_of_an_organization(management: ManagementClient) -> None:
    organization = management.organizations.create(name="acme").id
    grant = next(one for one in management.client_grants.list(client_id=MACHINE.id, audience=API))
    management.client_grants.update(grant.id, organization_usage="allow", allow_any_organization=False)
    grants = management.organizations.client_grants
    assert grants.create(organization, grant_id=grant.id).organization_usage == "allow"
    assert [one.id for one in grants.list(organization)] == [grant.id]
    assert [one.id for one in management.client_grants.organizations.list(grant.id)] == [organization]
    grants.delete(organization, grant.id)
    assert list(grants.list(organization)) == []


def test_invitations(management: ManagementClient) -> None:
    organization = management.organizations.create(
        name="acme", enabled_connections=[{"connection_id": _connection(management)}]).id
    management.clients.update(
        WEB_APP.id, organization_usage="allow", initiate_login_uri="https://app.example.com/login")
    person = {"inviter": {"name": "Ada"}, "invitee": {"email": "new@example.com"}, "client_id": WEB_APP.id}
    invitations = management.organizations.invitations
    made = invitations.create(
        organization, **person, roles=[management.roles.create(name="Nurse").id], ttl_sec=3600,
        app_metadata={"plan": "gold"}, send_invitation_email=False)
    assert parse_qs(urlsplit(made.invitation_url).query) == {
        "invitation": [made.ticket_id], "organization": [organization], "organization_name": ["acme"]}
    assert (made.expires_at - made.created_at).total_seconds() == 3600
    read = invitations.get(organization, made.id)
    assert read.invitee.email == "new@example.com" and read.invitation_url == made.invitation_url
    assert [one.id for one in invitations.list(organization, sort="created_at:-1")] == [made.id]
    invitations.delete(organization, made.id)
    assert list(invitations.list(organization)) == []


def test_what_is_not_there_yet_says_so(management: ManagementClient) -> None:
    organization = management.organizations.create(name="acme").id
    for call in (
        lambda: management.organizations.discovery_domains.list(organization),
        lambda: management.organizations.groups.list(organization),
    ):
        with pytest.raises(ApiError) as later:
            list(call())
        assert later.value.status_code == 501
