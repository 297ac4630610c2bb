"""What happens once happens once, however many ask for it at the same moment; and nobody notices a change of keys."""

import threading
from concurrent.futures import ThreadPoolExecutor

import jwt

from support.application import Application
from support.concurrency import MANY, at_once
from support.portico import Portico
from support.tenant import API, MACHINE, PUBLIC, tenant

def test_a_code_that_many_redeem_at_once_brings_tokens_once(portico: Portico) -> None:
    application = Application(portico)
    code = application.code(portico.create_user())
    answers = at_once(lambda: Application(portico).redeem(code))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}


def test_a_rotating_refresh_token_that_many_use_at_once_brings_tokens_once(portico: Portico) -> None:
    token = Application(portico, PUBLIC).tokens(portico.create_user())["refresh_token"]
    answers = at_once(lambda: Application(portico, PUBLIC).refresh(token))
    assert [answer.status_code for answer in answers].count(200) <= 1
    winner = next((answer.json() for answer in answers if answer.status_code == 200), None)
    # Somebody has used it twice: whoever it was, the whole family is void (RFC 9700 §4.14.2).
    assert winner is None or Application(portico, PUBLIC).refresh(winner["refresh_token"]).status_code != 200


def test_an_address_that_many_create_at_once_is_one_user(portico: Portico) -> None:
    done = at_once(lambda: portico.run(
        "users", "create", "--email", "race@example.com", "--password", "Analytical-Engine-1843").returncode)
    assert done.count(0) == 1 and done.count(1) == MANY - 1
    assert portico.command("users", "list", "--limit", "1000").count("race@example.com") == 1


def test_first_starts_at_the_same_time_share_one_installation(new_portico) -> None:
    portico: Portico = new_portico()
    file = portico.write(tenant())
    done = at_once(lambda: portico.run("apply", "--yes", str(file)))
    assert any(each.returncode == 0 for each in done)
    # Whoever comes second finds nothing to change, or that the plan is out of date; never half of it.
    assert all(each.returncode == 0 or "Run apply again" in each.stderr for each in done), done
    assert "Nothing to change." in portico.apply(tenant())


def test_nobody_notices_that_keys_rotate_and_settings_change_under_load(own_portico: Portico) -> None:
    is_over = threading.Event()
    failures: list[str] = []

    def use() -> int:
        application, count = Application(own_portico, MACHINE), 0
        while not is_over.is_set():
            answer = application.token(grant_type="client_credentials", audience=API)
            if answer.status_code != 200:
                failures.append(answer.text)
                continue
            token = answer.json()["access_token"]
            kid = jwt.get_unverified_header(token)["kid"]
            key = next((key for key in application.jwks()["keys"] if key["kid"] == kid), None)
            if key is None:
                failures.append(f"a token is signed with {kid}, which is not published")
                continue
            jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=API)
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        users = [pool.submit(use) for _ in range(4)]
        for number in range(5):
            own_portico.command("keys", "rotate")
            changed = tenant()
            changed["tenant"]["friendly_name"] = f"Clinic {number}"
            own_portico.apply(changed)
        is_over.set()
    assert not failures, failures[:3]
    assert sum(user.result() for user in users) > 20
