"""Tokens signed with other algorithms than RS256: PyJWT verifies them with nothing but the address of the keys."""

import time

import jwt
import pytest

from support.application import Application
from support.portico import Portico, said
from support.tenant import API, WEB_APP, tenant


@pytest.fixture(params=["PS256", "ES256", "EdDSA"])
def algorithm(request: pytest.FixtureRequest) -> str:
    return request.param


def _tenant(algorithm: str, asked: bool = True) -> dict:
    changed = tenant()
    if asked:
        changed["tenant"]["signing_algorithms"] = ["RS256", algorithm]
    changed["resourceServers"][0]["signing_alg"] = algorithm
    changed["clients"][0]["jwt_configuration"]["alg"] = algorithm
    return changed


def test_both_tokens_verify_before_and_after_a_rotation(own_portico: Portico, algorithm: str) -> None:
    application = Application(own_portico)
    own_portico.apply(_tenant(algorithm))
    _until(lambda: algorithm in _metadata(application)["id_token_signing_alg_values_supported"])
    email = own_portico.create_user()
    before = application.tokens(email)
    own_portico.command("keys", "rotate")
    kid = jwt.get_unverified_header(before["id_token"])["kid"]
    _until(lambda: jwt.get_unverified_header(application.tokens(email)["id_token"])["kid"] != kid)
    keys = jwt.PyJWKClient(f"{own_portico.issuer}.well-known/jwks.json")
    for tokens in (before, application.tokens(email)):
        for token, audience in ((tokens["access_token"], API), (tokens["id_token"], WEB_APP.id)):
            assert jwt.get_unverified_header(token)["alg"] == algorithm
            jwt.decode(
                token, keys.get_signing_key_from_jwt(token).key, algorithms=[algorithm], audience=audience,
                issuer=own_portico.issuer)


def test_an_algorithm_that_was_not_asked_for_is_refused_with_its_mend(own_portico: Portico, algorithm: str) -> None:
    file = own_portico.write(_tenant(algorithm, asked=False))
    done = own_portico.run("apply", "--yes", str(file))
    assert done.returncode == 1
    assert f"tenant.signing_algorithms: [RS256, {algorithm}]" in said(done), said(done)
    assert {key["kty"] for key in Application(own_portico).jwks()["keys"]} == {"RSA"}


def test_the_list_says_what_each_key_is(own_portico: Portico) -> None:
    own_portico.apply(_tenant("ES256"))
    lines = [line.split() for line in own_portico.command("keys", "list").splitlines()]
    kinds = sorted((kind, state) for _, state, kind, _ in lines)
    assert kinds == [("P-256", "current"), ("P-256", "next"), ("RSA", "current"), ("RSA", "next")]
    assert "ES256" in own_portico.command("doctor", PORTICO_ISSUER=own_portico.issuer)


def _metadata(application: Application) -> dict:
    url = f"{application.portico.url}.well-known/openid-configuration"
    return application.http.get(url, timeout=20).json()


def _until(holds) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "the running server did not follow"
        time.sleep(0.05)
