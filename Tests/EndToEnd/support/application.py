"""An application of the tenant's, as its developer wrote it without a library."""

from urllib.parse import urlencode

import requests

from .portico import Portico
from .tenant import API, CALLBACK, WEB_APP, Client
from .visitor import Visitor


class Application:
    """Asks for codes, tokens and user information; its credentials go in the body."""

    def __init__(self, portico: Portico, client: Client = WEB_APP, callback: str = CALLBACK):
        self.portico, self.client, self.callback = portico, client, callback
        self.http = portico.http_session()

    def authorization_url(self, **changes: str) -> str:
        """The authorization URL of the tutorial with `changes` to its parameters."""
        parameters = {
            "response_type": "code", "client_id": self.client.id, "redirect_uri": self.callback,
            "scope": "openid profile email offline_access appointments", "audience": API, "state": "xyzABC123",
        }
        return f"{self.portico.url}authorize?{urlencode(parameters | changes)}"

    def code(self, email: str, visitor: Visitor | None = None, **changes: str) -> str:
        """Signs a person in, and returns the code."""
        answer = (visitor or Visitor(self.portico)).sign_in(self.authorization_url(**changes), email)
        assert answer.get("state") == "xyzABC123" and "code" in answer, answer
        return answer["code"]

    def tokens(self, email: str, visitor: Visitor | None = None, **changes: str) -> dict:
        """A whole code flow: what the token endpoint answers."""
        response = self.redeem(self.code(email, visitor, **changes))
        assert response.status_code == 200, response.text
        return response.json()

    def redeem(self, code: str, **changes: str) -> requests.Response:
        return self.token(grant_type="authorization_code", code=code, redirect_uri=self.callback, **changes)

    def refresh(self, token: str, **changes: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=token, **changes)

    def token(self, **parameters: str) -> requests.Response:
        """A token request with the client's credentials in the body."""
        credentials = {"client_id": self.client.id}
        if self.client.secret:
            credentials["client_secret"] = self.client.secret
        return self.http.post(f"{self.portico.url}oauth/token", data=credentials | parameters, timeout=20)

    def jwks(self) -> dict:
        return self.http.get(f"{self.portico.url}.well-known/jwks.json", timeout=20).json()
