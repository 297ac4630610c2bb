"""`portico keys`: keys change under a running server, and no token that is out there becomes invalid."""


import jwt

from support.application import Application
from support.concurrency import wait_until
from support.portico import Portico
from support.tenant import API, tenant


def test_a_rotation_reaches_the_running_server(own_portico: Portico) -> None:
    application = Application(own_portico)
    email = own_portico.create_user()
    before = application.tokens(email)
    kids = _kids(application)

    printed = own_portico.command("keys", "rotate")
    wait_until(lambda: _kids(application) != kids, what="the JWKS did not follow")
    # What was signed before still verifies, and what is signed now does too.
    after = application.tokens(email)
    assert _kid(after) != _kid(before) and _kid(after) in printed
    for tokens in (before, after):
        _verify(application, tokens)
    assert application.refresh(before["refresh_token"]).status_code == 200


def test_the_key_that_signs_next_is_published_before_it_signs(own_portico: Portico) -> None:
    application = Application(own_portico)
    published = _kids(application)
    own_portico.command("keys", "rotate")
    wait_until(lambda: _kids(application) != published, what="the JWKS did not follow")
    assert _kid(application.tokens(own_portico.create_user())) in published


def test_the_list_says_which_key_signs(own_portico: Portico) -> None:
    kid = _kid(Application(own_portico).tokens(own_portico.create_user()))
    states = {line.split()[0]: line.split()[1] for line in own_portico.command("keys", "list").splitlines()}
    assert states[kid] == "current" and sorted(states.values()) == ["current", "next"]
    own_portico.command("keys", "rotate")
    states = {line.split()[0]: line.split()[1] for line in own_portico.command("keys", "list").splitlines()}
    assert states[kid] not in ("current", "next") and len(states) == 3


def test_before_the_first_start_there_is_no_key(new_portico) -> None:
    portico = new_portico()
    portico.apply(tenant())
    assert "portico serve" in portico.command("keys", "list")


def _kids(application: Application) -> set[str]:
    return {key["kid"] for key in application.jwks()["keys"]}


def _kid(tokens: dict) -> str:
    return jwt.get_unverified_header(tokens["access_token"])["kid"]


def _verify(application: Application, tokens: dict) -> None:
    keys = jwt.PyJWKClient(f"{application.portico.issuer}.well-known/jwks.json")
    token = tokens["access_token"]
    jwt.decode(
        token, keys.get_signing_key_from_jwt(token).key, algorithms=["RS256"], audience=API,
        issuer=application.portico.issuer)
