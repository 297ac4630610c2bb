"""People and services at work while something is disturbed; they come again when they are told to."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from .application import Application
from .concurrency import wait_until
from .portico import Portico
from .tenant import API, MACHINE, PUBLIC

# Longer than this nobody is kept waiting, in seconds: a few at the server, the rest is for a busy machine.
PATIENCE = 30


def disturb_under_load(portico: Portico, disturb: Callable[[], None]) -> None:
    """Services fetch tokens and people refresh theirs meanwhile; whoever is told to come again does so."""
    is_over = threading.Event()
    families = [Application(portico, PUBLIC).tokens(portico.create_user())["refresh_token"] for _ in range(4)]

    counts = [0] * (4 + len(families))

    def fetch(user: int) -> None:
        application = Application(portico, MACHINE)
        while not is_over.is_set():
            _insist(lambda: application.token(grant_type="client_credentials", audience=API))
            counts[user] += 1

    def refresh(user: int, token: str) -> None:
        application = Application(portico, PUBLIC)
        while not is_over.is_set():
            # To come again with the same token must not look like somebody who has stolen it.
            token = _insist(lambda: application.refresh(token)).json()["refresh_token"]
            counts[user] += 1
        assert application.refresh(token).status_code == 200

    with ThreadPoolExecutor(8) as pool:
        users = [pool.submit(fetch, user) for user in range(4)]
        users += [pool.submit(refresh, 4 + number, token) for number, token in enumerate(families)]
        try:
            disturb()
            before = list(counts)
            wait_until(
                lambda: any(user.done() for user in users) or all(now > then for now, then in zip(counts, before)),
                180, "somebody was not served again")
        finally:
            is_over.set()
    for user in users:
        user.result()


def _insist(ask: Callable[[], requests.Response]) -> requests.Response:
    """Asks until it is no 503 any more."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        answer = ask()
        assert answer.status_code in (200, 503), f"{answer.status_code}: {answer.text}"
        if answer.status_code == 200:
            return answer
        assert answer.elapsed.total_seconds() < PATIENCE
        time.sleep(0.05)
    raise AssertionError("there was no service any more")
