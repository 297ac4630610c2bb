"""Runs Canaille, an OpenID provider of other people's, with one user and one client in its memory.

    python canaille_server.py PORT CALLBACK
"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "portico-at-canaille", "canaille-secret-of-the-end-to-end-tests"
USER, PASSWORD, EMAIL = "kim", "Correct-Horse-1937-Battery", "kim@canaille.example"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


def fill(callback: str) -> None:
    """The user and the client; what they are asked for is in Canaille's own words."""
    user = models.User(
        user_name=USER, password=PASSWORD, formatted_name="Kim Canaille", given_name="Kim", family_name="Canaille",
        emails=[EMAIL])
    Backend.instance.save(user)
    client = models.Client(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, client_name="Portico", client_uri="http://localhost",
        redirect_uris=[callback], grant_types=["authorization_code"], response_types=["code"],
        token_endpoint_auth_method="client_secret_basic", scope=["openid", "profile", "email"])
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)


def main() -> None:
    port, callback = int(sys.argv[1]), sys.argv[2]
    key = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}).as_dict(private=True)
    app = create_app({
        "SECRET_KEY": "a secret of the end-to-end tests", "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http", "TRUSTED_DOMAINS": ["localhost"], "CANAILLE": {"DATABASE": "memory"},
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
    })
    with app.app_context(), Backend.instance.session():
        fill(callback)
    make_server("127.0.0.1", port, app, handler_class=Quiet).serve_forever()


if __name__ == "__main__":
    main()
