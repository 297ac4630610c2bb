"""A small OpenID Connect client that knows, of every request, whether the server has answered it."""

import base64
import hashlib
import http.client
import json
import re
import secrets
import socket
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

from scenarios import AUDIENCE, CALLBACK, CLIENT_ID, CLIENT_SECRET, authorize_path
from server import PASSWORD

TIMEOUT = 30.0  # seconds


class NotSent(Exception):
    """There was no server to send the request to: it cannot have had an effect."""


class Unanswered(Exception):
    """The connection broke before the whole answer was there: the request may have had its effect or not.

    `status` is that of the answer if its head had arrived, else None."""

    def __init__(self, status: int | None = None):
        super().__init__(f"the connection broke (status {status})")
        self.status = status


class Unavailable(Unanswered):
    """The server says 503, because its database is away: like no answer, the request may have had its effect or not."""

    def __init__(self, retry_after: str | None):
        super().__init__(503)
        self.retry_after = retry_after  # the header; RFC 9110 §10.2.3


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str

    @property
    def json(self) -> dict:
        try:
            return json.loads(self.text)
        except ValueError:
            return {}

    @property
    def code(self) -> str | None:
        """The authorization code in the redirect, if it carries one."""
        return parse_qs(urlsplit(self.location).query).get("code", [None])[0]

    def input(self, name: str) -> str:
        """The value of a form's <input>."""
        for tag in re.findall(r"<input[^>]*>", self.text):
            value = re.search(r'value="([^"]*)"', tag)
            if f'name="{name}"' in tag and value:
                return unescape(value[1])
        return ""

    def __str__(self) -> str:
        return f"{self.status} {self.location or self.text[:200]}"


class RelyingParty:
    """The client and one user's browser in one: a keep-alive connection and a cookie jar."""

    def __init__(self, port: int, email: str):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self.email = email
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        self._connect()
        headers = {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        status = None
        try:
            self.connection.request(method, path, urlencode(form) if form is not None else None, headers)
            response = self.connection.getresponse()
            status = response.status
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise Unanswered(status) from None
        if status == 503:
            raise Unavailable(response.headers.get("Retry-After"))
        for cookie in response.headers.get_all("Set-Cookie", []):
            self._take_cookie(cookie)
        return Answer(response.status, response.headers.get("Location", ""), text)

    def _connect(self) -> None:
        if self.connection.sock is not None:
            return
        try:
            self.connection.connect()
        except OSError:
            self.connection.close()
            raise NotSent from None
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _take_cookie(self, header: str) -> None:
        name, _, rest = header.partition("=")
        value, _, attributes = rest.partition(";")
        if value and "max-age=0" not in attributes.lower():
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)

    def authorize(self, scope: str, **more: str) -> Answer:
        state, nonce = secrets.token_hex(8), secrets.token_hex(8)
        return self.request("GET", authorize_path(scope, state=state, nonce=nonce, **more))

    def log_in(self) -> Answer:
        """Logs in with the password, in a new session. The answer carries a code, or is the first unexpected one."""
        self.cookies.clear()
        answer = self.authorize("openid")
        if answer.status != 302:
            return answer
        form = self.request("GET", answer.location)
        fields = {"state": form.input("state"), "_csrf": form.input("_csrf"), "action": "default"}
        fields |= {"username": self.email, "password": PASSWORD}
        answer = self.request("POST", f"/u/login?{urlencode({'state': fields['state']})}", fields)
        if answer.status != 302:
            return answer
        return self.request("GET", answer.location)

    def token(self, grant_type: str, **parameters: str) -> Answer:
        client = {"grant_type": grant_type, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return self.request("POST", "/oauth/token", {**client, **parameters})

    def redeem(self, code: str) -> Answer:
        return self.token("authorization_code", code=code, redirect_uri=CALLBACK)

    def refresh(self, refresh_token: str) -> Answer:
        return self.token("refresh_token", refresh_token=refresh_token)

    def client_credentials(self) -> Answer:
        return self.token("client_credentials", audience=AUDIENCE)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_signed_by(token: str, key_set: dict) -> bool:
    """Whether a JWT's RS256 signature is by a key of the set (RFC 8017 §8.2.2, RFC 7515 §5.2)."""
    message, _, signature = token.rpartition(".")
    header = json.loads(_decode(message.partition(".")[0]))
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message.encode()).digest()
    for key in key_set.get("keys", []):
        if key.get("kid") != header.get("kid"):
            continue
        modulus, exponent = (int.from_bytes(_decode(key[member]), "big") for member in ("n", "e"))
        size = (modulus.bit_length() + 7) // 8
        padding = b"\x00\x01" + b"\xff" * (size - len(digest_info) - 3) + b"\x00"
        encoded = pow(int.from_bytes(_decode(signature), "big"), exponent, modulus).to_bytes(size, "big")
        return encoded == padding + digest_info
    return False
