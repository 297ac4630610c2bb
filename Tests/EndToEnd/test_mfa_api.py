"""An application with pages of its own has users pass a second factor, with Auth0's SDK and the MFA API."""

import time

import pytest
from auth0.authentication import GetToken
from auth0.authentication.exceptions import Auth0Error

from support.portico import PASSWORD, Portico
from support.tenant import CONNECTION, DASHBOARD, tenant
from test_multi_factor_in_browser import App

GRANT = "http://auth0.com/oauth/grant-type/mfa-"


@pytest.fixture
def clinic(new_portico) -> Portico:
    """An installation where every login needs a factor, and an application that has passwords and the MFA grants."""
    portico = new_portico()
    document = tenant()
    for client in document["clients"]:
        if client["client_id"] == DASHBOARD.id:
            client["grant_types"] += [GRANT + name for name in ("otp", "oob", "recovery-code")]
            client["token_endpoint_auth_method"] = "client_secret_post"
    document["connections"] = [{
        "name": "sms", "strategy": "sms", "enabled_clients": [DASHBOARD.name], "options": {"from": "+15005550006"}}]
    document["guardianFactors"] = [{"name": name, "enabled": True} for name in ("otp", "sms", "recovery-code")]
    document["guardianPolicies"] = {"policies": ["all-applications"]}
    portico.apply(document)
    portico.start()
    return portico


class OwnPages:
    """The application: it signs a person in with the password, and asks for the rest itself."""

    def __init__(self, portico: Portico, email: str):
        self.portico, self.email, self.http = portico, email, portico.http_session()

    def begin(self) -> str:
        """Signs in as far as the second factor, and returns the mfa_token."""
        answer = self.http.post(f"{self.portico.url}oauth/token", json={
            "grant_type": "http://auth0.com/oauth/grant-type/password-realm", "realm": CONNECTION,
            "username": self.email, "password": PASSWORD, "scope": "openid email", "client_id": DASHBOARD.id,
            "client_secret": DASHBOARD.secret}, timeout=20)
        assert answer.status_code == 403 and answer.json()["error"] == "mfa_required", answer.text
        return answer.json()["mfa_token"]

    def ask(self, path: str, body: dict, token: str | None = None) -> dict:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.post(f"{self.portico.url}{path}", json=body, headers=headers, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def redeem(self, grant: str, token: str, **fields: str) -> dict:
        return self.ask("oauth/token", {
            "grant_type": GRANT + grant, "mfa_token": token, "client_id": DASHBOARD.id,
            "client_secret": DASHBOARD.secret, **fields})

    def sent_code(self) -> str:
        """The code of the newest text message."""
        letters = self.http.get(f"{self.portico.url}dev/inbox.json", timeout=20).json()
        return "".join(c for c in letters[0]["text"] if c.isdigit())[-6:]


def test_an_app_is_enrolled_passed_and_replaced_by_the_recovery_code(clinic: Portico) -> None:
    pages = OwnPages(clinic, clinic.create_user())
    token = pages.begin()
    enrolled = pages.ask("mfa/associate", {"authenticator_types": ["otp"]}, token)
    app = App(enrolled["secret"])
    assert "id_token" in pages.redeem("otp", token, otp=app.code())
    token = pages.begin()
    assert pages.ask("mfa/challenge", {
        "mfa_token": token, "challenge_type": "otp oob", "client_id": DASHBOARD.id,
        "client_secret": DASHBOARD.secret}) == {"challenge_type": "otp"}
    assert "access_token" in pages.redeem("otp", token, otp=app.code())
    recovered = pages.redeem("recovery-code", pages.begin(), recovery_code=enrolled["recovery_codes"][0])
    assert recovered["recovery_code"] != enrolled["recovery_codes"][0] and "access_token" in recovered


def test_a_phone_is_enrolled_and_asked_by_text_message(clinic: Portico) -> None:
    pages = OwnPages(clinic, clinic.create_user())
    token = pages.begin()
    sent = pages.ask("mfa/associate", {
        "authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+4915112345678"}, token)
    pages.redeem("oob", token, oob_code=sent["oob_code"], binding_code=pages.sent_code())
    token = pages.begin()
    listed = pages.http.get(
        f"{clinic.url}mfa/authenticators", headers={"Authorization": f"Bearer {token}"}, timeout=20).json()
    assert [each["authenticator_type"] for each in listed] == ["oob", "recovery-code"]
    # The inbox shows the newest first, by the millisecond.
    time.sleep(0.01)
    challenge = pages.ask("mfa/challenge", {
        "mfa_token": token, "challenge_type": "oob", "authenticator_id": listed[0]["id"], "client_id": DASHBOARD.id,
        "client_secret": DASHBOARD.secret})
    tokens = pages.redeem("oob", token, oob_code=challenge["oob_code"], binding_code=pages.sent_code())
    assert "id_token" in tokens


def test_the_sdk_tells_that_a_factor_is_wanted(clinic: Portico) -> None:
    get_token = GetToken(clinic.domain, DASHBOARD.id, DASHBOARD.secret, protocol="http")
    with pytest.raises(Auth0Error) as refused:
        get_token.login(clinic.create_user(), PASSWORD, realm=CONNECTION, grant_type=GRANT.replace("mfa-", "password-realm"))
    assert refused.value.status_code == 403 and refused.value.error_code == "mfa_required"
    # What the SDK hands on beside the error is what goes on with the login.
    assert "mfa_token" in refused.value.content
