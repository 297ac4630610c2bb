"""A stand-in for GitHub Enterprise: its three documented endpoints, to the letter, and a page that asks the person.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps, /rest/users/users and /rest/users/emails
"""

import base64
import hashlib
import html
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

CLIENT_ID = "Iv1.8a61f9b3a7aba766"
CLIENT_SECRET = "github-secret-of-the-end-to-end-tests-00000"

USER = {
    "login": "octocat", "id": 583231, "node_id": "MDQ6VXNlcjU4MzIzMQ==",
    "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4", "gravatar_id": "",
    "html_url": "https://github.com/octocat", "followers_url": "https://api.github.com/users/octocat/followers",
    "type": "User", "site_admin": False, "name": "The Octocat", "company": "@github", "blog": "https://github.blog",
    "location": "San Francisco", "email": None, "hireable": None, "bio": None, "public_repos": 8, "followers": 20,
    "created_at": "2011-01-25T18:44:36Z", "updated_at": "2024-06-22T11:21:58Z",
}
EMAILS = [
    {"email": "octocat@users.noreply.github.com", "primary": False, "verified": True, "visibility": None},
    {"email": "octocat@github.com", "primary": True, "verified": True, "visibility": "private"},
]


class GitHub:
    """Listens on a port of its own. `callback` is the OAuth App's callback URL; its folders are good, other places are not."""

    def __init__(self, callback: str):
        self.callback = callback
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        github = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
                if path == "/login/oauth/authorize":
                    github.authorize(self, query)
                elif path == "/api/v3/user":
                    github.answer_with(self, USER, needs="")
                elif path == "/api/v3/user/emails":
                    github.answer_with(self, EMAILS, needs="user:email")
                else:
                    self.send(404, {"message": "Not Found"})

            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
                path = urlsplit(self.path).path
                if path == "/login/oauth/access_token":
                    github.exchange(self, form)
                elif path == "/login/oauth/authorize":
                    github.decide(self, form)
                else:
                    self.send(404, {"message": "Not Found"})

            def send(self, status: int, body: object, **headers: str) -> None:
                text = body if isinstance(body, str) else json.dumps(body)
                content = text.encode()
                self.send_response(status)
                kind = "text/html" if text.startswith("<!doctype") else "application/json"
                for name, value in ({"Content_Type": f"{kind}; charset=utf-8"} | headers).items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What a browser sees

    def authorize(self, handler, query: dict[str, str]) -> None:
        if query.get("client_id") != CLIENT_ID:
            return handler.send(404, {"message": "Not Found"})
        redirect = query.get("redirect_uri", self.callback)
        if redirect != self.callback and not redirect.startswith(self.callback + "/"):
            description = "The redirect_uri MUST match the registered callback URL for this application."
            return self._back(handler, self.callback, query, error="redirect_uri_mismatch", error_description=description)
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in query.items())
        handler.send(200, (
            "<!doctype html><html lang=en><link rel=icon href='data:,'><title>Authorize application</title>"
            "<h1>Authorize Portico</h1><form method=post action=/login/oauth/authorize>"
            f"{hidden}<button name=decision value=authorize>Authorize</button>"
            "<button name=decision value=cancel>Cancel</button></form>"))

    def decide(self, handler, form: dict[str, str]) -> None:
        redirect = form.get("redirect_uri", self.callback)
        if form["decision"] != "authorize":
            return self._back(
                handler, redirect, form, error="access_denied",
                error_description="The user has denied your application access.",
                error_uri="https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/"
                "#access-denied")
        code = secrets.token_hex(10)
        self.codes[code] = form
        self._back(handler, redirect, form, code=code)

    def _back(self, handler, redirect: str, query: dict[str, str], **answer: str) -> None:
        if "state" in query:
            answer["state"] = query["state"]
        handler.send(302, "", Location=f"{redirect}?{urlencode(answer)}")

    # What a server asks

    def exchange(self, handler, form: dict[str, str]) -> None:
        asked = self.codes.get(form.get("code", ""))
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            answer = {
                "error": "incorrect_client_credentials",
                "error_description": "The client_id and/or client_secret passed are incorrect."}
        elif asked is None or not self._is_proved(asked, form):
            answer = {
                "error": "bad_verification_code",
                "error_description": "The code passed is incorrect or expired."}
        elif form.get("redirect_uri", asked.get("redirect_uri")) != asked.get("redirect_uri"):
            answer = {
                "error": "redirect_uri_mismatch",
                "error_description": "The redirect_uri MUST match the registered callback URL for this application."}
        else:
            del self.codes[form["code"]]
            token = "gho_" + secrets.token_urlsafe(27)[:36]
            scope = ",".join(asked.get("scope", "").split())
            self.tokens[token] = scope
            answer = {"access_token": token, "scope": scope, "token_type": "bearer"}
        # GitHub answers 200 in any case, and with a form unless JSON is asked for.
        if "application/json" in handler.headers.get("Accept", ""):
            handler.send(200, answer)
        else:
            handler.send(200, urlencode(answer), Content_Type="application/x-www-form-urlencoded; charset=utf-8")

    @staticmethod
    def _is_proved(asked: dict[str, str], form: dict[str, str]) -> bool:
        if "code_challenge" not in asked:
            return True
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]

    def answer_with(self, handler, body: object, needs: str) -> None:
        if not handler.headers.get("User-Agent"):
            return handler.send(403, {"message": "Request forbidden by administrative rules."})
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ").removeprefix("token ")
        scope = self.tokens.get(token)
        if scope is None:
            return handler.send(401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})
        if needs and not {needs, "user"} & set(scope.split(",")):
            return handler.send(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})
        handler.send(200, body, X_OAuth_Scopes=", ".join(scope.split(",")), X_Accepted_OAuth_Scopes=needs)
