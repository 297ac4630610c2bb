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


@pytest.fixture(scope="module")
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
