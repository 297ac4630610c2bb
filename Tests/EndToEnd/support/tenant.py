"""The tenant that most tests use, in the format of Auth0's Deploy CLI."""

from dataclasses import dataclass

API = "appointments:api"
CONNECTION = "Username-Password-Authentication"


@dataclass(frozen=True)
class Client:
    """An application's name and credentials; a public one has no secret."""

    name: str
    id: str
    secret: str | None = None


WEB_APP = Client("Appointments Web App", "web-app-of-the-end-to-end-tests", "web-app-secret-" + "w" * 49)
BASIC = Client("Ledger", "ledger-of-the-end-to-end-tests", "basic-secret_" + "b" * 51)
PUBLIC = Client("Pocket Calendar", "calendar-of-the-end-to-end-tests")
DASHBOARD = Client("Dashboard", "dashboard-of-the-end-to-end-tests", "dashboard-secret-" + "d" * 47)
MACHINE = Client("Reminder", "reminder-of-the-end-to-end-tests", "machine-secret-" + "m" * 49)

# Nobody listens there: a requests-based browser stops where it is sent to.
CALLBACK = "https://app.example.com/callback"

_TUTORIAL_REFRESH = {
    "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2592000,
    "idle_token_lifetime": 1296000,
}


_RARE_GRANTS = [
    "password", "http://auth0.com/oauth/grant-type/password-realm", "urn:ietf:params:oauth:grant-type:device_code",
]


def _client(client: Client, app_type: str, method: str, grants: list[str], **settings) -> dict:
    secret = {"client_secret": client.secret} if client.secret else {}
    return {
        "name": client.name, "client_id": client.id, **secret, "app_type": app_type, "is_first_party": True,
        "oidc_conformant": True, "token_endpoint_auth_method": method, "grant_types": grants,
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000}, **settings,
    }


def tenant(web_app: str = "http://localhost:3000", callbacks: list[str] | None = None) -> dict:
    """The tutorial's API and one application of each kind; `callbacks` are further ones of all of them."""
    users = ["authorization_code", "refresh_token"]
    further = {"callbacks": [CALLBACK, *(callbacks or [])]}
    return {
        "tenant": {"friendly_name": "Clinic", "session_lifetime": 168, "idle_session_lifetime": 72},
        "resourceServers": [{
            "name": "Appointments API", "identifier": API, "signing_alg": "RS256", "token_lifetime": 86400,
            "token_lifetime_for_web": 7200, "allow_offline_access": True,
            "skip_consent_for_verifiable_first_party_clients": False,
            "scopes": [
                {"value": "appointments", "description": "See your appointments"},
                {"value": "contacts", "description": "See your contacts"},
            ],
        }],
        "clients": [
            _client(
                WEB_APP, "regular_web", "client_secret_post", [*users, "implicit", "client_credentials"],
                callbacks=[f"{web_app}/callback", *further["callbacks"]], allowed_logout_urls=[web_app],
                refresh_token=dict(_TUTORIAL_REFRESH)),
            _client(BASIC, "regular_web", "client_secret_basic", users, **further),
            _client(PUBLIC, "native", "none", users, refresh_token=dict(_TUTORIAL_REFRESH), **further),
            _client(DASHBOARD, "regular_web", "client_secret_basic", [*users, "implicit", *_RARE_GRANTS], **further),
            _client(MACHINE, "non_interactive", "client_secret_post", ["client_credentials"]),
        ],
        "clientGrants": [{"client_id": MACHINE.name, "audience": API, "scope": ["appointments"]}],
        "databases": [{
            "name": CONNECTION, "strategy": "auth0",
            "enabled_clients": [WEB_APP.name, BASIC.name, PUBLIC.name, DASHBOARD.name],
            "options": {"passwordPolicy": "good", "brute_force_protection": True},
        }],
        "roles": [{
            "name": "Patient", "description": "Sees appointments of their own",
            "permissions": [{"resource_server_identifier": API, "permission_name": "appointments"}],
        }],
    }
