"""What many do in the same moment."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MANY = 16


def at_once(*actions: Callable[[], object], count: int = MANY) -> list:
    """The results of `count` threads that begin in the same moment; the actions take turns."""
    start = threading.Barrier(count)

    def run(action: Callable[[], object]) -> object:
        start.wait()
        return action()

    with ThreadPoolExecutor(count) as pool:
        begun = [pool.submit(run, actions[number % len(actions)]) for number in range(count)]
        return [future.result() for future in begun]


def wait_until(condition: Callable[[], object], seconds: float = 60, what: str = "the server did not follow") -> float:
    """Waits until `condition` holds, and returns for how long; the test fails when that is not within `seconds`.

    Those end a test of what never comes. How soon it comes depends on the machine, and is the benchmarks' business.
    """
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + seconds, f"{what} within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - begin
