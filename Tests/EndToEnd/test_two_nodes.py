"""Two servers on one PostgreSQL database are one server: whatever happens on one has happened on the other."""

import requests

from support.application import Application
from support.concurrency import at_once
from support.portico import PASSWORD, Portico
from support.tenant import PUBLIC
from support.visitor import Visitor, told


def test_each_step_of_a_login_may_be_answered_by_another_node(first: Portico, second: Portico) -> None:
    email, visitor = second.create_user(name="Ada Lovelace"), Visitor(first)
    login = visitor.open(Application(first).authorization_url())
    consent = _elsewhere(visitor, login, second, username=email, password=PASSWORD, action="default")
    code = told(_elsewhere(visitor, consent, first, action="accept"))["code"]

    tokens = Application(second).redeem(code).json()
    renewed = Application(first).refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, renewed.text
    again = Application(second).refresh(renewed.json()["refresh_token"])
    assert again.status_code == 200, again.text
    for node in (first, second):
        answer = requests.get(
            f"{node.url}userinfo", headers={"Authorization": f"Bearer {again.json()['access_token']}"})
        assert answer.status_code == 200 and answer.json()["name"] == "Ada Lovelace"


def test_a_code_that_many_redeem_on_both_nodes_brings_tokens_once(first: Portico, second: Portico) -> None:
    for _ in range(5):
        code = Application(first).code(first.create_user())
        answers = at_once(*[lambda node=node: Application(node).redeem(code) for node in (first, second)])
        assert [answer.status_code for answer in answers].count(200) == 1
        assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}


def test_a_rotating_refresh_token_that_many_use_on_both_nodes_brings_tokens_once(
    first: Portico, second: Portico
) -> None:
    for _ in range(5):
        token = Application(first, PUBLIC).tokens(first.create_user())["refresh_token"]
        answers = at_once(*[lambda node=node: Application(node, PUBLIC).refresh(token) for node in (first, second)])
        winners = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(winners) == 1
        assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
        # Somebody has used it twice: whoever it was, the whole family is void (RFC 9700 §4.14.2), on both nodes.
        for node in (first, second):
            refused = Application(node, PUBLIC).refresh(winners[0]["refresh_token"])
            assert refused.json()["error"] == "invalid_grant"


def test_a_code_that_was_used_on_one_node_is_used_on_the_other(first: Portico, second: Portico) -> None:
    code = Application(first).code(first.create_user())
    assert Application(first).redeem(code).status_code == 200
    assert Application(second).redeem(code).json()["error"] == "invalid_grant"


def test_a_refresh_token_that_one_node_revokes_is_void_on_the_other(first: Portico, second: Portico) -> None:
    application = Application(first)
    token = application.tokens(first.create_user())["refresh_token"]
    application.http.post(
        f"{first.url}oauth/revoke",
        data={"client_id": application.client.id, "client_secret": application.client.secret, "token": token},
    ).raise_for_status()
    assert Application(second).refresh(token).json()["error"] == "invalid_grant"


def test_whoever_signed_in_on_one_node_is_signed_in_on_the_other(first: Portico, second: Portico) -> None:
    visitor = Visitor(first)
    Application(first).tokens(first.create_user(), visitor)
    assert Application(second).redeem(_silently(visitor, second)["code"]).status_code == 200


def test_whoever_signed_out_on_one_node_is_signed_out_on_the_other(first: Portico, second: Portico) -> None:
    visitor = Visitor(first)
    Application(first).tokens(first.create_user(), visitor)
    session = visitor.http.cookies.copy()
    assert "code" in _silently(visitor, second)
    visitor.open(f"{second.url}v2/logout?client_id={Application(first).client.id}")
    # Even with the cookies that the browser had before.
    visitor.http.cookies = session
    assert _silently(visitor, first)["error"] == "login_required"


def _elsewhere(visitor: Visitor, page: requests.Response, node: Portico, **fields: str) -> requests.Response:
    """Sends the page's form to another node than the one it came from."""
    page.url = page.url.replace(visitor.portico.url, node.url)
    visitor.portico = node
    return visitor.submit(page, **fields)


def _silently(visitor: Visitor, node: Portico) -> dict[str, str]:
    """What the application is told at a node without that anybody is asked."""
    visitor.portico = node
    return told(visitor.open(Application(node).authorization_url(prompt="none")))
