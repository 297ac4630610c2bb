"""A person with a browser that is not one: cookies, redirects and forms with requests alone."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from .portico import PASSWORD, Portico


class Form(HTMLParser):
    """The first form of a page: where it leads, and the fields that it has."""

    def __init__(self, html: str):
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(html)
        assert self.action is not None, f"there is no form on this page:\n{html}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = values.get("action") or ""
        if tag == "input" and values.get("name"):
            self.fields[values["name"]] = values.get("value") or ""


class Visitor:
    """Goes where the server's redirects and forms lead, until they lead out of it."""

    def __init__(self, portico: Portico):
        self.portico = portico
        self.http = portico.http_session()

    def open(self, url: str) -> requests.Response:
        """Opens an address, and follows the server's redirects inside itself."""
        return self.follow(self.http.get(url, allow_redirects=False, timeout=20))

    def submit(self, page: requests.Response, **fields: str) -> requests.Response:
        """Sends the page's form with `fields` filled in."""
        form = Form(page.text)
        return self.follow(
            self.http.post(
                urljoin(page.url, form.action), data=form.fields | fields, allow_redirects=False, timeout=20))

    def follow(self, response: requests.Response) -> requests.Response:
        """Follows redirects inside the server."""
        while response.is_redirect:
            target = urljoin(response.url, response.headers["Location"])
            if not target.startswith(self.portico.url):
                return response
            response = self.http.get(target, allow_redirects=False, timeout=20)
        return response

    def sign_in(self, url: str, email: str, password: str = PASSWORD) -> dict[str, str]:
        """Goes through login and consent, and returns what the application is told."""
        page = self.open(url)
        if urlsplit(page.url).path == "/u/login" and not page.is_redirect:
            page = self.submit(page, username=email, password=password, action="default")
        if urlsplit(page.url).path == "/u/consent" and not page.is_redirect:
            page = self.submit(page, action="accept")
        return told(page)


def told(response: requests.Response) -> dict[str, str]:
    """What the application is told: the parameters of the redirect, or the fields of the form, that lead back to it."""
    if response.status_code == 200:
        form = Form(response.text)
        assert form.action.startswith("http"), f"{response.url} asks for something more:\n{response.text}"
        return form.fields
    assert response.is_redirect, f"{response.url} answered {response.status_code}, not a way out:\n{response.text}"
    target = urlsplit(response.headers["Location"])
    return {name: values[0] for name, values in parse_qs(target.query or target.fragment).items()}
