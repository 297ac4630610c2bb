"""auth0-python's management client, unmodified, configures a tenant."""

from collections.abc import Callable, Iterator

import pytest
from auth0.authentication import GetToken
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

from support.management import managed, sdk
from support.portico import Portico
from support.tenant import API, MACHINE


@pytest.fixture
def server(new_portico: Callable[..., Portico], monkeypatch: pytest.MonkeyPatch) -> Iterator[Portico]:
    portico = managed(new_portico)
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(portico.ca))
    yield portico


@pytest.fixture
def management(server: Portico) -> ManagementClient:
    return sdk(server)


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
    with pytest.raises(ApiError) as forbidden:
        management.users.get("auth0|x")
    assert forbidden.value.status_code in (403, 501)
    with pytest.raises(ApiError) as there:
        management.client_grants.create(client_id=MACHINE.id, audience=API, scope=[])
    assert there.value.status_code == 409
