"""A person sets up an authenticator app, signs in with it, and gets in without it, in a browser."""

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from support.browser import take_picture, take_pictures
from support.callback import Callback
from support.portico import PASSWORD, Portico
from support.tenant import WEB_APP, tenant

CONTEXT = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"


def one_time_code(secret: str, step: int) -> str:
    """RFC 6238 with SHA-1, six digits and steps of 30 seconds."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class App:
    """An authenticator app whose clock is a step ahead once it has shown a code: the server takes no code twice."""

    def __init__(self, secret: str):
        self.secret, self.last = secret, 0

    def code(self) -> str:
        """The present code, or the next one that the server has not seen; it takes those of one step ahead."""
        while True:
            step = max(int(time.time()) // 30, self.last + 1)
            if step <= int(time.time()) // 30 + 1:
                self.last = step
                return one_time_code(self.secret, step)
            time.sleep(1)


def sign_in(page: Page, portico: Portico, callback: Callback, email: str) -> None:
    page.goto(
        f"{portico.url}authorize?response_type=code&client_id={WEB_APP.id}&redirect_uri={callback.url}"
        f"&scope=openid+email&state=s&prompt=login&acr_values={CONTEXT}")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue", exact=True).click()


def test_an_app_is_set_up_and_asked_for_and_the_recovery_code_gets_in_without_it(
    new_portico: Callable[..., Portico], new_page: Callable[..., Page]
) -> None:
    portico, callback = new_portico(), Callback()
    try:
        portico.apply(tenant(callbacks=[callback.url]))
        email = portico.create_user()
        portico.start()
        page = new_page()
        sign_in(page, portico, callback, email)
        expect(page.get_by_role("heading", name="Secure your account")).to_be_visible()
        take_pictures(page, "mfa-otp-enrollment")
        expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
        app = App(page.locator("#secret").inner_text().replace(" ", ""))
        page.get_by_label("One-time code").fill("000000")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
        take_picture(page, "mfa-otp-enrollment-wrong")
        page.get_by_label("One-time code").fill(app.code())
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Almost there")).to_be_visible()
        take_pictures(page, "mfa-recovery-code-enrollment")
        recovery_code = page.locator("#recovery-code").inner_text()
        page.get_by_role("button", name="I have noted it").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

        page = new_page()
        sign_in(page, portico, callback, email)
        expect(page.get_by_role("heading", name="Verify your identity")).to_be_visible()
        take_pictures(page, "mfa-otp-challenge")
        page.get_by_label("One-time code").fill(app.code())
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

        page = new_page()
        sign_in(page, portico, callback, email)
        page.get_by_role("link", name="Use the recovery code").click()
        take_pictures(page, "mfa-recovery-code-challenge")
        page.get_by_label("Recovery code").fill(recovery_code)
        page.get_by_role("button", name="Continue").click()
        assert page.locator("#recovery-code").inner_text() != recovery_code
        page.get_by_role("button", name="I have noted it").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    finally:
        callback.stop()


def test_codes_by_mail_and_text_message_are_asked_for_and_chosen_between(
    new_portico: Callable[..., Portico], new_page: Callable[..., Page]
) -> None:
    portico, callback = new_portico(), Callback()

    def sent_code(text: str) -> str:
        letters = portico.http_session().get(f"{portico.url}dev/inbox.json", timeout=20).json()
        return next(re.search(r"\b[0-9]{6}\b", each["text"]).group() for each in letters if text in each["text"])

    try:
        document = tenant(callbacks=[callback.url])
        document["connections"] = [{
            "name": "sms", "strategy": "sms", "enabled_clients": [WEB_APP.name],
            "options": {"from": "+15005550006"}}]
        document["guardianFactors"] = [
            {"name": "otp", "enabled": False}, {"name": "sms", "enabled": True}, {"name": "email", "enabled": True}]
        portico.apply(document)
        newcomer, verified = portico.create_user(), portico.create_user("--email-verified")
        portico.start()
        page = new_page()
        sign_in(page, portico, callback, newcomer)
        expect(page.get_by_role("heading", name="Secure your account")).to_be_visible()
        take_pictures(page, "mfa-sms-enrollment")
        page.get_by_label("Phone number").fill("0151 123")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("Phone numbers begin with +")
        page.get_by_label("Phone number").fill("+49 151 12345678")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("+4915112345678")).to_be_visible()
        take_pictures(page, "mfa-sms-enrollment-sent")
        page.get_by_label("Code", exact=True).fill(sent_code("verification code"))
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="I have noted it").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

        page = new_page()
        sign_in(page, portico, callback, newcomer)
        expect(page.get_by_text("XXXXXXXXXX5678")).to_be_visible()
        take_pictures(page, "mfa-sms-challenge")
        page.get_by_label("Code", exact=True).fill(sent_code("verification code"))
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

        page = new_page()
        sign_in(page, portico, callback, verified)
        expect(page.get_by_role("heading", name="Verify your identity")).to_be_visible()
        take_pictures(page, "mfa-email-challenge")
        page.get_by_role("button", name="Send another code").click()
        code = sent_code("type this code to go on")
        page.get_by_label("Code", exact=True).fill("000000" if code != "000000" else "111111")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
        page.get_by_label("Code", exact=True).fill(code)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    finally:
        callback.stop()
