"""What is measured: each scenario is a text for oidcload (see oidcload/scenario.h), and the costly work in it."""

from dataclasses import dataclass
from urllib.parse import quote

CLIENT_ID = "bench"
CLIENT_SECRET = "bench-secret-0123456789abcdef"
CALLBACK = "https://rp.example.test/cb"
AUDIENCE = "https://api.example.test/"
SCOPE = "openid profile email offline_access read:a"

CLIENT = f"client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"


def authorize_path(scope: str = SCOPE, **more: str) -> str:
    """An authorization request (RFC 6749 §4.1.1), for a code unless `more` says otherwise. Values in `more` are used as they are."""
    parameters = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": quote(CALLBACK, safe=""),
        "scope": quote(scope),
        "audience": quote(AUDIENCE, safe=""),
    }
    return "/authorize?" + "&".join(f"{name}={value}" for name, value in {**parameters, **more}.items())


AUTHORIZE = authorize_path(state="{random}", nonce="{random}")
HYBRID_TYPE = quote("code id_token token")
AUTHORIZE_HYBRID = authorize_path(
    response_type=HYBRID_TYPE, response_mode="form_post", state="{random}", nonce="{random}")

DISCOVERY = """
step discovery
GET /.well-known/openid-configuration
without-cookies
expect 200
need "issuer"
"""

JWKS = """
step jwks
GET /.well-known/jwks.json
without-cookies
expect 200
need "RSA"
"""

CLIENT_CREDENTIALS = f"""
step token
POST /oauth/token
without-cookies
body grant_type=client_credentials&{CLIENT}&audience={quote(AUDIENCE, safe="")}
expect 200
need eyJ
capture access_token json:access_token
"""

REFRESH = f"""
step token
POST /oauth/token
without-cookies
body grant_type=refresh_token&{CLIENT}&refresh_token={{refresh_token|url}}
expect 200
need "id_token"
capture refresh_token json:refresh_token
"""

REDEEM = f"""
step token
POST /oauth/token
without-cookies
body grant_type=authorization_code&{CLIENT}&code={{code|url}}&redirect_uri={quote(CALLBACK, safe="")}
expect 200
need "id_token"
need eyJ
capture access_token json:access_token
capture refresh_token json:refresh_token
"""

CODE = f"""
step authorize
GET {AUTHORIZE}
expect 302
need {CALLBACK}?
capture code query:code
{REDEEM}"""

# The form brings a code, and an ID token and an access token that are signed at the front channel.
HYBRID = f"""
step authorize
GET {AUTHORIZE_HYBRID}
expect 200
need action="{CALLBACK}"
need name="id_token" value="eyJ
need name="access_token" value="eyJ
capture code input:code
{REDEEM}"""

USERINFO = """
step userinfo
GET /userinfo
without-cookies
header Authorization: Bearer {access_token}
expect 200
need "sub"
"""

INTROSPECTION = f"""
step introspect
POST /oauth/introspect
without-cookies
body {CLIENT}&token={{access_token|url}}
expect 200
need "active":true
"""

PASSWORD_LOGIN = f"""
step begin
clear-cookies
GET {AUTHORIZE}
expect 302
need /u/login
capture page location

step form
GET {{page}}
expect 200
capture state input:state
capture csrf input:_csrf

step password
POST /u/login?state={{state|url}}
body state={{state|url}}&_csrf={{csrf|url}}&username={{email|url}}&password={{password|url}}&action=default
expect 302
capture resume location

step resume
GET {{resume}}
expect 302
need {CALLBACK}?
capture code query:code
"""

# Walked once by every virtual user: afterwards it has a session, an access token and a refresh token.
SET_UP = PASSWORD_LOGIN + CODE


@dataclass(frozen=True)
class Scenario:
    """One row of the result. `signatures` are RS256 signatures, `hashes` Argon2id hashes in one operation."""

    name: str
    text: str
    signatures: int = 0
    hashes: int = 0
    spends_refresh_tokens: bool = False


SCENARIOS = [
    Scenario("discovery", DISCOVERY),
    Scenario("jwks", JWKS),
    Scenario("client-credentials", CLIENT_CREDENTIALS, signatures=1),
    Scenario("refresh", REFRESH, signatures=2, spends_refresh_tokens=True),
    Scenario("code", CODE, signatures=2),
    Scenario("hybrid", HYBRID, signatures=4),
    Scenario("userinfo", USERINFO),
    Scenario("introspection", INTROSPECTION),
    Scenario("password-login", PASSWORD_LOGIN, hashes=1),
]
