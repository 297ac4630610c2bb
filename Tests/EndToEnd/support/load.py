"""People and services at work while something is disturbed; they come again when they are told to."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from .application import Application
from .portico import Portico
from .tenant import API, MACHINE, PUBLIC

# Longer than this nobody is kept waiting, in seconds.
PATIENCE = 6


def disturb_under_load(portico: Portico, disturb: Callable[[], None]) -> None:
    """Services fetch tokens and people refresh theirs meanwhile; whoever is told to come again does so."""
    is_over = threading.Event()
    families = [Application(portico, PUBLIC).tokens(portico.create_user())["refresh_token"] for _ in range(4)]

    def fetch() -> int:
        application, count = Application(portico, MACHINE), 0
        while not is_over.is_set():
            count += _insist(lambda: application.token(grant_type="client_credentials", audience=API))[1]
        return count

    def refresh(token: str) -> int:
        application, count = Application(portico, PUBLIC), 0
        while not is_over.is_set():
            # To come again with the same token must not look like somebody who has stolen it.
            answer, times = _insist(lambda: application.refresh(token))
            token, count = answer.json()["refresh_token"], count + times
        assert application.refresh(token).status_code == 200
        return count

    with ThreadPoolExecutor(8) as pool:
        users = [pool.submit(fetch) for _ in range(4)] + [pool.submit(refresh, token) for token in families]
        try:
            disturb()
        finally:
            time.sleep(1)
            is_over.set()
    assert all(user.result() > 5 for user in users)


def _insist(ask: Callable[[], requests.Response]) -> tuple[requests.Response, int]:
    """Asks until it is no 503 any more, and says how often it asked."""
    for times in range(1, 200):
        answer = ask()
        assert answer.status_code in (200, 503), f"{answer.status_code} at attempt {times}: {answer.text}"
        if answer.status_code == 200:
            return answer, times
        assert answer.elapsed.total_seconds() < PATIENCE
        time.sleep(0.05)
    raise AssertionError("there was no service any more")
