"""DPoP (RFC 9449) with proofs that PyJWT makes, at two nodes that are one server."""

import jwt
import pytest
import requests

from support.application import Application
from support.client_key import ClientKey
from support.concurrency import at_once, wait_until
from support.portico import Portico
from support.tenant import CALLBACK, PUBLIC, tenant


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_public_client_binds_its_tokens_to_its_key(first: Portico, second: Portico, algorithm: str) -> None:
    key, email = ClientKey(algorithm), first.create_user()
    code = Application(first, PUBLIC).code(email, dpop_jkt=key.thumbprint)
    tokens = _token(second, key, grant_type="authorization_code", code=code, redirect_uri=CALLBACK).json()
    assert tokens["token_type"] == "DPoP"
    token = tokens["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["cnf"] == {"jkt": key.thumbprint}
    assert _user_info(first, token, key).status_code == 200
    assert _user_info(first, token, ClientKey(algorithm)).status_code == 401
    bearer = requests.get(f"{first.url}userinfo", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert bearer.status_code == 401 and "DPoP" in bearer.headers["WWW-Authenticate"]

    stolen = _token(first, ClientKey(algorithm), grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert stolen.status_code == 400 and stolen.json()["error"] == "invalid_grant"
    renewed = _token(first, key, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert renewed.status_code == 200 and renewed.json()["token_type"] == "DPoP", renewed.text


def test_a_proof_that_is_sent_to_both_nodes_is_good_at_one(first: Portico, second: Portico) -> None:
    key, email = ClientKey(), first.create_user()
    code = Application(first, PUBLIC).code(email)
    token = _token(first, key, grant_type="authorization_code", code=code, redirect_uri=CALLBACK).json()["access_token"]
    for _ in range(5):
        proof = key.proof("GET", f"{first.issuer}userinfo", token)
        answers = at_once(*[lambda node=node: _user_info(node, token, key, proof) for node in (first, second)])
        assert [answer.status_code for answer in answers].count(200) == 1


def test_the_nonce_of_one_node_is_good_at_the_other(first: Portico, second: Portico) -> None:
    changed = tenant()
    changed["tenant"]["require_dpop_nonce"] = True
    first.apply(changed)
    try:
        key, code = ClientKey(), Application(first, PUBLIC).code(first.create_user())
        unknown = {"grant_type": "refresh_token", "refresh_token": "unknown"}
        wait_until(lambda: all(
            _token(node, key, **unknown).json()["error"] == "use_dpop_nonce" for node in (first, second)))
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        refused = _token(first, key, **form)
        assert refused.status_code == 400 and refused.json()["error"] == "use_dpop_nonce", refused.text
        nonce = refused.headers["DPoP-Nonce"]
        answer = _token(second, key, nonce, **form)
        assert answer.status_code == 200 and answer.headers["DPoP-Nonce"], answer.text
    finally:
        changed["tenant"]["require_dpop_nonce"] = False
        first.apply(changed)


def _token(node: Portico, key: ClientKey, nonce: str | None = None, **form: str) -> requests.Response:
    proof = key.proof("POST", f"{node.issuer}oauth/token", nonce=nonce)
    return requests.post(
        f"{node.url}oauth/token", data={"client_id": PUBLIC.id} | form, headers={"DPoP": proof}, timeout=20)


def _user_info(node: Portico, token: str, key: ClientKey, proof: str | None = None) -> requests.Response:
    proof = proof or key.proof("GET", f"{node.issuer}userinfo", token)
    return requests.get(
        f"{node.url}userinfo", headers={"Authorization": f"DPoP {token}", "DPoP": proof}, timeout=20)
