"""Every request that auth0-python's management client can make: the server has it with each of its parameters, or answers
501 and says so."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import auth0.management
import requests

from support.management import MANAGER, managed
from support.portico import Portico

PATH_PARAMETER = re.compile(r"\{[^}]*\}")
REQUEST = re.compile(
    r"httpx_client\.(?:request|stream)\(\s*f?\"([^\"]*)\",\s*method=\"([A-Z]+)\",(.*?)request_options", re.S)


def requests_of_the_client() -> Iterator[tuple[str, str, set[str]]]:
    """The method, the path and the query parameters of each."""
    for file in Path(next(iter(auth0.management.__path__))).rglob("raw_client.py"):
        for path, method, arguments in REQUEST.findall(file.read_text()):
            query = re.search(r"params=\{(.*?)\n\s*\}", arguments, re.S)
            names = re.findall(r"^\s*\"(\w+)\":", query[1], re.M) if query else []
            yield method, PATH_PARAMETER.sub("{}", path), set(names)


def test_each_is_answered_or_refused_with_501(new_portico: Callable[..., Portico]) -> None:
    portico = managed(new_portico)
    api = f"{portico.issuer}api/v2/"
    described = {
        (method.upper(), PATH_PARAMETER.sub("{}", path.strip("/"))):
            {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
        for path, operations in requests.get(f"{api}openapi.json", verify=portico.ca, timeout=30).json()["paths"].items()
        for method, operation in operations.items()
    }
    token = requests.post(f"{portico.issuer}oauth/token", verify=portico.ca, timeout=30, data={
        "grant_type": "client_credentials", "client_id": MANAGER.id, "client_secret": MANAGER.secret, "audience": api
    }).json()["access_token"]
    session = portico.http_session()
    session.headers["Authorization"] = f"Bearer {token}"
    known = sorted(set((method, path, frozenset(names)) for method, path, names in requests_of_the_client()), key=str)
    assert len(known) > 400, "the client's source is not read as it is written"
    missing, silent = [], []
    for method, path, names in known:
        if (method, path) in described:
            unknown = names - described[(method, path)]
            if unknown:
                missing.append(f"{method} {path}: {', '.join(sorted(unknown))}")
            continue
        answer = session.request(method, api + path.replace("{}", "x"), timeout=30)
        if answer.status_code != 501 or "does not have it yet" not in answer.json()["message"]:
            silent.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    assert not missing, "\n".join(missing)
    assert not silent, "\n".join(silent)
