"""An application that wants to hear of logouts: its callback, its two logout channels, and its page for afterwards."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from .tenant import WEB_APP, tenant


class LogoutReceiver:
    """Listens on a port of its own, keeps what comes on each path, and answers the back channel as it is told to."""

    def __init__(self):
        receiver = self
        self.back: queue.Queue[dict[str, str]] = queue.Queue()
        self.front: queue.Queue[dict[str, str]] = queue.Queue()
        self.statuses: queue.Queue[int] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target = urlsplit(self.path)
                if target.path == "/frontchannel":
                    receiver.front.put(values(target.query))
                self.answer(200)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                receiver.back.put(values(body))
                self.answer(200 if receiver.statuses.empty() else receiver.statuses.get())

            def answer(self, status: int) -> None:
                body = b"<!doctype html><link rel=icon href='data:,'><title>App</title><h1>Application</h1>"
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self._server.server_port}"
        self.callback, self.goodbye = f"{self.origin}/callback", f"{self.origin}/goodbye"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def tenant(self) -> dict:
        """The usual tenant, whose web application is this one."""
        made = tenant(callbacks=[self.callback])
        client = next(client for client in made["clients"] if client["client_id"] == WEB_APP.id)
        client["allowed_logout_urls"].append(self.goodbye)
        client["oidc_logout"] = {"backchannel_logout_urls": [f"{self.origin}/backchannel"]}
        client["frontchannel_logout_uri"] = f"{self.origin}/frontchannel"
        client["frontchannel_logout_session_required"] = True
        return made

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def values(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
