"""Real browsers: Chromium without a window, in which every complaint of a page fails the test."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from .programs import REPOSITORY

CANDIDATES = [
    "chromium", "chromium-browser", "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]


def chromium() -> str:
    """The installed browser; PORTICO_CHROMIUM names another one."""
    named = os.environ.get("PORTICO_CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else CANDIDATES)), None)
    if not found:
        raise FileNotFoundError("There is no Chromium. Install it (apt-get install chromium), or set PORTICO_CHROMIUM.")
    return found


class Complaints:
    """What a page's console says that it should not: violated policies, errors of scripts, things not found."""

    def __init__(self, page: Page):
        self.found: list[str] = []
        self._documents: set[str] = set()
        page.on("response", self._response)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"{page.url}: {error}"))

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._documents.add(response.url)

    def _console(self, message: ConsoleMessage) -> None:
        # That a form was refused with 400, or cannot be answered now (503), the browser calls a failure; to the person it
        # is a page with a message.
        address = message.location["url"]
        is_refused_form = address in self._documents and re.search(r"responded with a status of (4|503)", message.text)
        if message.type in ("error", "warning") and not is_refused_form:
            self.found.append(f"{address}: {message.text}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser process; tests have contexts of their own in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Opens windows without cookies; at the end no page may have complained, and a failure leaves a picture."""
    pages: list[tuple[Page, Complaints]] = []

    def make(**options) -> Page:
        page = browser.new_context(locale="en-US", **options).new_page()
        page.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        pages.append((page, Complaints(page)))
        return page

    yield make
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        _take_pictures(request.node.name, [page for page, _ in pages])
    found = [complaint for _, complaints in pages for complaint in complaints.found]
    for page, _ in pages:
        page.context.close()
    assert not found, "the browser's console has complaints:\n" + "\n".join(found)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A window of the usual size."""
    return new_page()


def take_picture(page: Page, name: str) -> None:
    """Keeps a picture of a page for people to look at, where PORTICO_PICTURES names a folder for it."""
    if folder := os.environ.get("PORTICO_PICTURES"):
        page.screenshot(path=os.path.join(folder, f"{name}.png"), full_page=True)


def take_pictures(page: Page, name: str) -> None:
    """Pictures of a page in a narrow and in a wide window; nothing may be cut off in either."""
    for label, width in {"narrow": 320, "wide": 1280}.items():
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} at {width}"
        take_picture(page, f"{name}-{label}")


def _take_pictures(test: str, pages: list[Page]) -> None:
    folder = REPOSITORY / "test-results"
    folder.mkdir(exist_ok=True)
    for index, page in enumerate(pages):
        file = folder / f"{re.sub(r'[^A-Za-z0-9_]+', '-', test)}-{index}.png"
        page.screenshot(path=file, full_page=True)
        print(f"at the failure the browser was at {page.url}; see {file}")
