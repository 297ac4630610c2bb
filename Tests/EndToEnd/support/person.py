"""A person in front of a real browser, at the tutorial's web application."""

import itertools
import json
import re

from playwright.sync_api import Locator, Page, expect

from .portico import PASSWORD

_numbers = itertools.count(1)


def new_email() -> str:
    """An address that no other test signs up with."""
    return f"person{next(_numbers)}@example.com"


class Person:
    """Reads and clicks what is on the page, by the words on it."""

    def __init__(self, page: Page, web_app: str):
        self.page, self.web_app = page, web_app

    def open_application(self) -> None:
        self.page.goto(self.web_app)
        expect(self.page.get_by_role("heading", name="A regular web application")).to_be_visible()

    def click_sign_in(self, link: str = "Sign in") -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    def go_to_sign_in(self, link: str = "Sign in") -> None:
        self.open_application()
        self.click_sign_in(link)
        expect(self.page.get_by_role("heading", name="Log in to Appointments Web App")).to_be_visible()

    def go_to_sign_up(self) -> None:
        self.go_to_sign_in()
        self.page.get_by_role("link", name="Sign up").click()
        expect(self.page.get_by_role("heading", name="Create your account")).to_be_visible()

    def send_credentials(self, email: str, password: str = PASSWORD) -> None:
        """Fills in the form for signing in or up, and sends it."""
        self.page.get_by_label("Email address").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Continue").click()

    def sign_up(self, email: str) -> None:
        """From the application's first page to the consent page."""
        self.go_to_sign_up()
        self.send_credentials(email)
        expect(self.page.get_by_role("heading", name="Authorize App")).to_be_visible()

    def sign_in(self, email: str, link: str = "Sign in") -> None:
        self.go_to_sign_in(link)
        self.send_credentials(email)

    def accept(self) -> None:
        self.page.get_by_role("button", name="Accept").click()

    def press(self, button: str) -> None:
        """Presses one of the application's buttons."""
        self.page.get_by_role("button", name=button).click()

    def expect_signed_in(self) -> None:
        expect(self.page.get_by_role("heading", name=re.compile("^Hello, "))).to_be_visible()

    # What the application shows of the tokens

    def card(self, name: str) -> Locator:
        return self.page.locator("article").filter(has=self.page.get_by_role("heading", name=name, exact=True))

    def claims(self, token: str) -> dict:
        """The decoded payload that the application shows of a token."""
        return json.loads(self.card(token).locator("h3:has-text('Payload') + pre").inner_text())

    def raw(self, token: str) -> str:
        """A token's own text, which is folded away."""
        return self.card(token).locator("pre.raw").text_content() or ""


def expect_no_sideways_scrolling(page: Page) -> None:
    """Everything fits the width of the window: in the document, and for every element that is not meant to scroll."""
    page.wait_for_load_state()  # until its stylesheet is there, a page has another width
    width, inner = page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
    assert width <= inner, f"{page.url} is {width} px wide in a window of {inner} px"
