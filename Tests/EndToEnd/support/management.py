"""An application that manages a tenant with auth0-python's management client."""

from collections.abc import Callable

from auth0.management import ManagementClient

from .portico import Portico
from .tenant import Client, tenant

MANAGER = Client("Provisioning", "provisioning-of-the-end-to-end-tests", "manager-secret-" + "p" * 49)

_VERBS = ["create", "read", "update", "delete"]
_RESOURCES = [
    "clients", "client_keys", "client_credentials", "client_grants", "resource_servers", "connections", "users",
    "users_app_metadata", "roles", "signing_keys", "device_credentials", "rules", "rules_configs", "actions",
    "organizations", "organization_connections", "organization_members", "organization_member_roles",
]
SCOPE = [f"{verb}:{resource}" for resource in _RESOURCES for verb in _VERBS] + [
    "create:role_members", "read:role_members", "delete:role_members", "read:tenant_settings", "update:tenant_settings",
    "read:grants", "delete:grants", "read:sessions", "delete:sessions", "read:refresh_tokens", "delete:refresh_tokens",
    "update:sessions", "update:refresh_tokens", "read:stats", "read:attack_protection", "update:attack_protection",
    "read:anomaly_blocks", "delete:anomaly_blocks", "read:branding", "update:branding", "read:prompts", "update:prompts",
    "read:custom_domains", "create:custom_domains",
]


def managed(new_portico: Callable[..., Portico], scope: list[str] | None = None) -> Portico:
    """A running server over https whose tenant has the application, with every scope of `scope`."""
    portico = new_portico(tls=True)
    with_manager = tenant()
    with_manager["clients"].append({
        "name": MANAGER.name, "client_id": MANAGER.id, "client_secret": MANAGER.secret,
        "app_type": "non_interactive", "grant_types": ["client_credentials"],
    })
    with_manager["clientGrants"].append({
        "client_id": MANAGER.name, "audience": f"{portico.issuer}api/v2/", "scope": scope or SCOPE,
    })
    portico.command("apply", "--yes", str(portico.write(with_manager)), PORTICO_ISSUER=portico.issuer)
    return portico.start()


def sdk(portico: Portico) -> ManagementClient:
    """The SDK, as its documentation says to make it."""
    return ManagementClient(domain=portico.domain, client_id=MANAGER.id, client_secret=MANAGER.secret)
