"""A SAML identity provider: pysaml2's, which xmlsec1 signs for."""

import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from .certificates import builder
from .visitor import Form

PASSWORD_PROTECTED = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


class IdentityProvider:
    """Reads requests, checks their signatures, and answers them as its users ask for."""

    entity_id = "https://idp.example.com/metadata"
    url = "https://idp.example.com/sso"

    def __init__(self, folder: Path, binding: str = "redirect"):
        self.program = shutil.which("xmlsec1")
        if self.program is None:
            pytest.skip("xmlsec1 is not installed: scripts/install-dependencies test")
        folder.mkdir(parents=True)
        self.folder = folder
        self.binding = {"redirect": BINDING_HTTP_REDIRECT, "post": BINDING_HTTP_POST}[binding]
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
        certificate = builder(name, name, key).sign(key, hashes.SHA256())
        (folder / "key.pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        (folder / "certificate.pem").write_text(self.certificate)
        self.server: Server | None = None

    def _config(self, **further) -> IdPConfig:
        return IdPConfig().load({
            "entityid": self.entity_id, "xmlsec_binary": self.program, "key_file": str(self.folder / "key.pem"),
            "cert_file": str(self.folder / "certificate.pem"),
            "service": {"idp": {
                "endpoints": {"single_sign_on_service": [(self.url, self.binding)]},
                "want_authn_requests_signed": True, "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                "policy": {"default": {"lifetime": {"minutes": 15}, "attribute_restrictions": None}},
            }}, **further,
        })

    def metadata(self) -> str:
        return create_metadata_string(None, config=self._config()).decode()

    def knows(self, service: str) -> None:
        """Takes the metadata of a service provider."""
        file = self.folder / "service.xml"
        file.write_text(service)
        self.server = Server(config=self._config(metadata={"local": [str(file)]}))

    def request(self, departure: requests.Response):
        """The request that a browser brings, its signature checked, and what goes back beside the answer."""
        if self.binding == BINDING_HTTP_REDIRECT:
            query = {name: values[0] for name, values in parse_qs(urlsplit(departure.headers["Location"]).query).items()}
            signature = {"relay_state": query["RelayState"], "sigalg": query["SigAlg"], "signature": query["Signature"]}
            parsed = self.server.parse_authn_request(query["SAMLRequest"], self.binding, **signature)
        else:
            query = Form(departure.text).fields
            parsed = self.server.parse_authn_request(query["SAMLRequest"], self.binding)
        return parsed.message, query["RelayState"]

    def answer(self, request, name: str, identity: dict[str, str], **signing) -> str:
        """A response whose assertion, or which itself, is signed."""
        arguments = self.server.response_args(request)
        algorithms = {"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256}
        signing = {"sign_assertion": True, "sign_response": False} | algorithms | signing
        return str(self.server.create_authn_response(
            identity, in_response_to=arguments["in_response_to"], destination=arguments["destination"],
            sp_entity_id=arguments["sp_entity_id"], name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=name),
            authn={"class_ref": PASSWORD_PROTECTED}, **signing))
