"""A callback address where somebody listens: it keeps what browsers bring."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Callback:
    """Listens on a port of its own, and answers every request with a short page."""

    def __init__(self):
        brought: queue.Queue[tuple[str, dict[str, str]]] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

            def answer(self, parameters: str) -> None:
                if urlsplit(self.path).path == "/callback":
                    brought.put((self.command, {name: values[0] for name, values in parse_qs(parameters).items()}))
                body = b"<!doctype html><link rel=icon href='data:,'><title>Welcome</title><h1>Welcome</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._brought = brought
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self) -> tuple[str, dict[str, str]]:
        """The method and the parameters of the next request; fails when none comes within ten seconds."""
        return self._brought.get(timeout=60)

    def forget(self) -> None:
        """Drops what nobody took."""
        while not self._brought.empty():
            self._brought.get()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
