"""A user database behind an HTTP API, as somebody had one before."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "key-of-the-legacy-users"

_SCRIPT = """async function %(name)s(%(parameters)s, callback) {
  const answer = await fetch(configuration.URL + '/%(path)s', {
    method: 'POST', headers: { Authorization: 'Bearer ' + configuration.KEY }, body: JSON.stringify({ %(sent)s }),
  });
  if (answer.status === 401) return callback(new WrongUsernameOrPasswordError(email, 'wrong'));
  if (answer.status === 404) return callback(null);
  if (answer.status === 409) return callback(new ValidationError('user_exists', 'taken'));
  if (answer.status !== 200) return callback(new Error('the users answer ' + answer.status));
  callback(null, await answer.json());
}
"""


def _script(name: str, parameters: str, path: str, sent: str) -> str:
    return _SCRIPT % {"name": name, "parameters": parameters, "path": path, "sent": sent}


SCRIPTS = {
    "login": _script("login", "email, password", "login", "email, password"),
    "get_user": _script("getUser", "email", "find", "email"),
    "create": _script("create", "user", "create", "email: user.email, password: user.password"),
    "verify": _script("verify", "email", "verify", "email"),
    "change_password": _script("changePassword", "email, newPassword", "password", "email, password: newPassword"),
}


class LegacyUsers:
    """Listens on a port of its own; keeps hashes of its own kind."""

    def __init__(self):
        self.users: dict[str, dict] = {}
        self.asked: list[str] = []
        legacy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                path = self.path.strip("/")
                legacy.asked.append(path)
                is_known = self.headers.get("Authorization") == f"Bearer {KEY}"
                status, answer = legacy.answer(path, sent) if is_known else (403, {})
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def _hash(password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()

    def add(self, email: str, password: str) -> None:
        self.users[email] = {
            "user_id": f"legacy-{len(self.users) + 1}", "email": email, "email_verified": False,
            "name": "A legacy user", "hash": self._hash(password)}

    def answer(self, path: str, sent: dict) -> tuple[int, object]:
        user = self.users.get(sent["email"])
        if path == "create":
            if user:
                return 409, {}
            self.add(sent["email"], sent["password"])
            return 200, True
        if path == "login":
            return (200, user) if user and user["hash"] == self._hash(sent["password"]) else (401, {})
        if not user:
            return 404, {}
        if path == "find":
            return 200, user
        if path == "verify":
            user["email_verified"] = True
        if path == "password":
            user["hash"] = self._hash(sent["password"])
        return 200, True

    def has(self, email: str, password: str) -> bool:
        return self.users[email]["hash"] == self._hash(password)

    def options(self, imports: bool) -> dict:
        """A connection's options, with the scripts in them."""
        return {
            "enabledDatabaseCustomization": True, "import_mode": imports, "customScripts": SCRIPTS,
            "configuration": {"URL": self.url, "KEY": KEY},
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
