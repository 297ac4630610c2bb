"""Go's coreos/go-oidc and Ruby's openid_connect, as Debian has them, sign people in."""

import pytest

from support.portico import Portico
from support.relying_party import Refused, RelyingParty, build_go, ruby
from support.tenant import BASIC, DASHBOARD, WEB_APP, Client
from support.visitor import Visitor


@pytest.fixture(scope="module", params=["go-oidc", "openid_connect"])
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What runs the relying party."""
    if request.param == "go-oidc":
        return build_go("go_oidc", tmp_path_factory.mktemp("go"))
    return ruby("openid_connect")


# One for each test: somebody who logs in too often in a short time has to wait.
@pytest.fixture
def email(secure_portico: Portico) -> str:
    return secure_portico.create_user(name="Barbara Liskov")


@pytest.mark.parametrize(("client", "method"), [(BASIC, "basic"), (WEB_APP, "body")], ids=["basic", "post"])
def test_a_person_signs_in_with_a_code(
    secure_portico: Portico, command: list[str], email: str, client: Client, method: str
) -> None:
    with RelyingParty(secure_portico, command, client, method) as party:
        believed = party.finish(Visitor(secure_portico).sign_in(party.url(), email))
    assert believed["id_token"]["aud"] == client.id and "front_channel" not in believed
    assert believed["userinfo"]["email"] == email and believed["userinfo"]["sub"] == believed["id_token"]["sub"]


@pytest.mark.parametrize(("kind", "mode"), [
    ("id_token", "form_post"), ("id_token token", "form_post"), ("code id_token", "form_post"),
    ("code id_token token", "form_post"), ("code id_token token", "fragment"),
])
def test_a_person_signs_in_with_what_the_front_channel_brings(
    secure_portico: Portico, command: list[str], email: str, kind: str, mode: str
) -> None:
    with RelyingParty(secure_portico, command, DASHBOARD, RESPONSE_TYPE=kind, RESPONSE_MODE=mode) as party:
        answer = Visitor(secure_portico).sign_in(party.url(), email)
        believed = party.finish(answer)
    assert set(kind.replace("token", "access_token").replace("id_access", "id").split()) <= set(answer)
    first, second = believed["front_channel"], believed.get("id_token", believed["front_channel"])
    assert first["aud"] == DASHBOARD.id and (first["iss"], first["sub"]) == (second["iss"], second["sub"])
    if kind != "id_token":
        assert believed["userinfo"]["email"] == email


@pytest.mark.parametrize(("swapped", "complaint"), [
    ("code", "c_hash"), ("access_token", "at_hash|access token hash"), ("state", "state"),
])
def test_parts_of_two_answers_are_refused(
    secure_portico: Portico, command: list[str], email: str, swapped: str, complaint: str
) -> None:
    request = {"RESPONSE_TYPE": "code id_token token", "RESPONSE_MODE": "form_post"}
    with (
        RelyingParty(secure_portico, command, DASHBOARD, **request) as party,
        RelyingParty(secure_portico, command, DASHBOARD, **request) as other,
    ):
        mine, others = (Visitor(secure_portico).sign_in(one.url(), email) for one in (party, other))
        with pytest.raises(Refused, match=complaint):
            party.finish(mine | {swapped: others[swapped]})


def test_the_secret_decides(secure_portico: Portico, command: list[str], email: str) -> None:
    impostor = Client(BASIC.name, BASIC.id, "not-the-secret")
    with RelyingParty(secure_portico, command, impostor) as party:
        answer = Visitor(secure_portico).sign_in(party.url(), email)
        with pytest.raises(Refused, match="invalid_client"):
            party.finish(answer)


def test_another_persons_code_is_refused(secure_portico: Portico, command: list[str], email: str) -> None:
    with (
        RelyingParty(secure_portico, command, DASHBOARD) as party,
        RelyingParty(secure_portico, command, DASHBOARD) as other,
    ):
        mine, other_url = Visitor(secure_portico).sign_in(party.url(), email), other.url()
        stolen = Visitor(secure_portico).sign_in(other_url, email)["code"]
        with pytest.raises(Refused, match="nonce|Nonce"):
            party.finish(mine | {"code": stolen})
