"""auth0-python's management client, unmodified, on attack protection, blocks, sessions, statistics and the pages' looks."""

import base64
import json

import requests
import pytest
from auth0.management import ManagementClient
from auth0.management.core.api_error import ApiError

from support.application import Application
from support.portico import PASSWORD, Portico
from support.visitor import Visitor


def guess(server: Portico, email: str, password: str = "wrong-password-1") -> requests.Response:
    visitor = Visitor(server)
    login = visitor.open(Application(server).authorization_url())
    return visitor.submit(login, username=email, password=password, action="default")


def test_a_guesser_is_blocked_and_let_in_again(server: Portico, management: ManagementClient) -> None:
    email = server.create_user()
    protection = management.attack_protection.brute_force_protection
    assert protection.get().max_attempts == 10
    assert protection.update(max_attempts=2, shields=["block"]).max_attempts == 2
    for _ in range(2):
        guess(server, email)
    assert "blocked" in guess(server, email, PASSWORD).text
    blocks = management.user_blocks.list_by_identifier(identifier=email).blocked_for
    assert [(block.identifier, block.ip) for block in blocks] == [(email, "127.0.0.1")]
    user = management.users.list_users_by_email(email=email)[0].user_id
    assert len(management.user_blocks.list(user).blocked_for) == 1
    management.user_blocks.delete(user)
    assert management.user_blocks.list(user).blocked_for == []
    assert Application(server).tokens(email)["access_token"]


def test_an_address_is_throttled_and_let_in_again(server: Portico, management: ManagementClient) -> None:
    email = server.create_user()
    throttling = management.attack_protection.suspicious_ip_throttling
    assert throttling.get().enabled is True
    throttling.update(stage={"pre-login": {"max_attempts": 2, "rate": 86_400_000}})
    for number in range(2):
        guess(server, f"nobody{number}@example.com")
    assert "/u/login" in str(guess(server, email, PASSWORD).url)
    management.anomaly.blocks.check_ip("127.0.0.1")
    management.anomaly.blocks.unblock_ip("127.0.0.1")
    with pytest.raises(ApiError) as free:
        management.anomaly.blocks.check_ip("127.0.0.1")
    assert free.value.status_code == 404
    assert Application(server).tokens(email)["access_token"]


def test_sessions_tokens_and_statistics(server: Portico, management: ManagementClient) -> None:
    email = server.create_user()
    tokens = Application(server).tokens(email)
    payload = tokens["id_token"].split(".")[1]
    sid = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"]
    assert management.sessions.update(sid, session_metadata={"device": "tablet"}).session_metadata == {"device": "tablet"}
    user = management.users.list_users_by_email(email=email)[0].user_id
    issued = list(management.refresh_tokens.list(user_id=user))
    noted = management.refresh_tokens.update(issued[0].id, refresh_token_metadata={"place": "desk"})
    assert noted.refresh_token_metadata == {"place": "desk"}
    management.refresh_tokens.revoke(ids=[issued[0].id])
    assert list(management.refresh_tokens.list(user_id=user)) == []
    management.users.revoke_access(user)
    with pytest.raises(ApiError) as gone:
        management.sessions.get(sid)
    assert gone.value.status_code == 404
    assert management.stats.get_active_users_count() == 1
    assert sum(day.logins for day in management.stats.get_daily()) >= 1


def test_the_pages_look_and_speak_as_the_tenant_says(server: Portico, management: ManagementClient) -> None:
    management.branding.update(colors={"primary": "#ffff00"}, logo_url="https://cdn.example.com/logo.png")
    assert management.branding.get().colors.primary == "#ffff00"
    management.prompts.custom_text.set("login", "en", request={"login": {"title": "Hello from ${clientName}"}})
    assert management.prompts.custom_text.get("login", "en") == {"login": {"title": "Hello from ${clientName}"}}
    page = Visitor(server).open(Application(server).authorization_url()).text
    assert "https://cdn.example.com/logo.png" in page and "Hello from " in page
    assert management.prompts.get_settings().universal_login_experience == "new"
    with pytest.raises(ApiError) as classic:
        management.prompts.update_settings(universal_login_experience="classic")
    assert classic.value.status_code == 400
    with pytest.raises(ApiError) as template:
        management.branding.templates.get_universal_login()
    assert template.value.status_code == 501


def test_the_issuer_is_the_one_domain(server: Portico, management: ManagementClient) -> None:
    domain = management.custom_domains.list()[0]
    assert (domain.domain, domain.status) == (server.domain, "ready")
    assert management.custom_domains.get(domain.custom_domain_id).domain == server.domain
    with pytest.raises(ApiError) as more:
        management.custom_domains.create(domain="login.example.org", type="auth0_managed_certs")
    assert more.value.status_code == 501
