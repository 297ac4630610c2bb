"""A person signs in with a code from a mail, in a browser."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from support.browser import take_picture
from support.callback import Callback
from support.portico import Portico
from support.tenant import WEB_APP, tenant


def test_a_code_from_a_mail_signs_a_person_in(new_portico: Callable[..., Portico], page: Page) -> None:
    portico, callback = new_portico(), Callback()
    try:
        document = tenant(callbacks=[callback.url])
        document["connections"] = [{"name": "email", "strategy": "email", "enabled_clients": [WEB_APP.name]}]
        portico.apply(document)
        portico.start()
        page.goto(
            f"{portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={callback.url}"
            "&scope=openid+email&state=s&prompt=login")
        take_picture(page, "login-with-code-button")
        page.get_by_role("button", name="Continue with email").click()
        take_picture(page, "login-code")
        page.get_by_label("Email address").fill("grace@example.com")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("grace@example.com")).to_be_visible()
        mail = portico.http_session().get(f"{portico.url}dev/inbox.json", timeout=20).json()[0]
        code = re.search(r"\b[0-9]{6}\b", mail["text"]).group()
        page.get_by_label("Code", exact=True).fill("000000" if code != "000000" else "111111")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
        take_picture(page, "login-code-wrong")
        page.get_by_label("Code", exact=True).fill(code)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        assert "code" in callback.take()[1]
    finally:
        callback.stop()
