"""Log events: what the command shows, what a file gets, and a webhook that misses nothing over failures and restarts."""

import hashlib
import hmac
import json
import queue
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from support.portico import Portico
from support.programs import binary, environment
from support.tenant import API, MACHINE, tenant

SECRET = "a-signing-secret-of-the-end-to-end-tests"


class Webhook:
    """Keeps the bodies that it takes, and answers as it is told to."""

    def __init__(self):
        webhook = self
        self.taken: list[dict] = []
        self.tries: queue.Queue[tuple[int, dict[str, str], bytes]] = queue.Queue()
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                events = [json.loads(line) for line in body.splitlines()]
                # What made the tenant is a change like any other.
                events = [event for event in events if event["data"]["type"] != "sapi"]
                if events:
                    webhook.tries.put((webhook.status, dict(self.headers), body))
                if webhook.status == 200:
                    webhook.taken += events
                self.send_response(webhook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}/logs"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook():
    webhook = Webhook()
    yield webhook
    webhook.stop()


def ask_for_tokens(portico: Portico, count: int) -> None:
    with portico.http_session() as http:
        for _ in range(count):
            http.post(
                f"{portico.url}oauth/token",
                data={"grant_type": "client_credentials", "client_id": MACHINE.id, "client_secret": MACHINE.secret,
                      "audience": API}).raise_for_status()


def wait_until(what, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it has not come to that in time"
        time.sleep(0.1)


def test_a_webhook_gets_every_event_once_or_more_over_failures_and_restarts(tmp_path, webhook: Webhook) -> None:
    portico = Portico(tmp_path / "portico")
    portico.apply(tenant() | {"logStreams": [{
        "name": "Audit", "type": "http",
        "sink": {"httpEndpoint": webhook.url, "httpAuthorization": "Bearer of-the-receiver",
                 "httpSigningSecret": SECRET}}]})
    portico.start()
    ask_for_tokens(portico, 5)
    wait_until(lambda: len(webhook.taken) == 5)
    _, headers, body = webhook.tries.get()
    assert headers["Authorization"] == "Bearer of-the-receiver"
    sent, code = (part.split("=")[1] for part in headers["Portico-Signature"].split(","))
    assert code == hmac.new(SECRET.encode(), f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    assert abs(int(sent) - time.time()) < 60

    webhook.status = 503
    ask_for_tokens(portico, 5)
    wait_until(lambda: any(status == 503 for status, _, _ in list(webhook.tries.queue)))
    # What happens just before a graceful stop is written too.
    ask_for_tokens(portico, 5)
    assert portico.stop(signal.SIGTERM) == 0
    assert len(webhook.taken) == 5
    webhook.status = 200
    portico.start()
    ask_for_tokens(portico, 5)
    wait_until(lambda: len({event["log_id"] for event in webhook.taken}) == 20, 90)
    ids = [event["log_id"] for event in webhook.taken]
    assert sorted(set(ids)) == list(dict.fromkeys(ids)), "they came in another order than they happened in"
    assert {event["data"]["type"] for event in webhook.taken} == {"seccft"}
    assert portico.query("SELECT COUNT(*) FROM log_event WHERE type = 'seccft'")[0][0] == 20
    assert portico.query("SELECT COUNT(*) FROM log_event WHERE type = 'sapi'")[0][0] > 0
    portico.stop()


def test_the_command_shows_events_and_follows_them(tmp_path) -> None:
    portico = Portico(tmp_path / "portico")
    portico.apply(tenant())
    lines = tmp_path / "events.jsonl"
    portico.start(PORTICO_LOG_EVENTS=str(lines))
    ask_for_tokens(portico, 3)
    requests.post(f"{portico.url}oauth/token", data={"grant_type": "refresh_token", "refresh_token": "x",
                                                     "client_id": MACHINE.id, "client_secret": MACHINE.secret})
    wait_until(lambda: lines.exists() and len(lines.read_text().splitlines()) == 4)
    assert [json.loads(line)["type"] for line in lines.read_text().splitlines()] == ["seccft"] * 3 + ["fertft"]
    shown = portico.command("logs", "--type", "seccft")
    assert shown.count("seccft") == 3 and "fertft" not in shown and MACHINE.name in shown
    assert json.loads(portico.command("logs", "--json", "--limit", "1"))["type"] == "fertft"
    assert "no field 'nothing'" in portico.run("logs", "--query", "nothing:x").stderr

    following = subprocess.Popen(
        [binary("portico"), "logs", "--follow", "--limit", "0", "--json", "--type", "seccft"],
        env=environment(**portico.env), stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(2)
        ask_for_tokens(portico, 2)
        assert following.stdout is not None
        assert [json.loads(following.stdout.readline())["type"] for _ in range(2)] == ["seccft"] * 2
    finally:
        following.kill()
    portico.stop()
