"""The Management API is what its OpenAPI document says: schemathesis makes requests of the document and judges the answers."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from support.management import MANAGER, managed
from support.portico import Portico

CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "negative_data_rejection", "ignored_auth",
]
# 501 is the answer where the server has not what Auth0 has, and says so.
CONFIGURATION = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 501]
negative_data_rejection.expected-statuses = ["4xx", 501]
"""
# What it finds in lists it changes, the keys and the grant that let it in among them: these come last.
OWN_ACCESS = ["/client-grants/{id}", "/clients/{id}", "/keys/signing/{kid}/revoke"]


def test_schemathesis_finds_no_server_error_and_no_answer_that_is_not_described(
    new_portico: Callable[..., Portico], tmp_path: Path
) -> None:
    portico = managed(new_portico)
    description = requests.get(f"{portico.issuer}api/v2/openapi.json", verify=portico.ca, timeout=30).json()
    scopes = description["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    grant = {"client_id": MANAGER.name, "audience": f"{portico.issuer}api/v2/", "scope": list(scopes)}
    portico.command("apply", "--yes", str(portico.write({"clientGrants": [grant]})), PORTICO_ISSUER=portico.issuer)
    token = requests.post(f"{portico.issuer}oauth/token", verify=portico.ca, timeout=30, data={
        "grant_type": "client_credentials", "client_id": MANAGER.id, "client_secret": MANAGER.secret,
        "audience": f"{portico.issuer}api/v2/"
    }).json()["access_token"]
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    for choice in ["--exclude-path", "--include-path"]:
        paths = [word for path in OWN_ACCESS for word in (choice, path)]
        run = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run", f"{portico.issuer}api/v2/openapi.json",
                *paths, "--header", f"Authorization: Bearer {token}", "--tls-verify", portico.ca,
                "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1",
                "--no-color", "--continue-on-failure", "--generation-database", "none",
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
