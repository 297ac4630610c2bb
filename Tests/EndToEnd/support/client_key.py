"""A key of an application's that proves possession (RFC 9449), with PyJWT and nothing of ours."""

import base64
import hashlib
import json
import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519


class ClientKey:
    def __init__(self, algorithm: str = "ES256"):
        self.algorithm = algorithm
        if algorithm == "ES256":
            self._key = ec.generate_private_key(ec.SECP256R1())
            self.jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        else:
            self._key = ed25519.Ed25519PrivateKey.generate()
            self.jwk = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(self._key.public_key()))
        self.jwk = {name: self.jwk[name] for name in ("kty", "crv", "x", "y") if name in self.jwk}

    @property
    def thumbprint(self) -> str:
        """The `jkt` of RFC 9449 §6: the thumbprint of RFC 7638."""
        return _hash(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")))

    def proof(self, method: str, url: str, access_token: str | None = None, nonce: str | None = None) -> str:
        claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
        if access_token:
            claims["ath"] = _hash(access_token)
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(claims, self._key, self.algorithm, headers={"typ": "dpop+jwt", "jwk": self.jwk})


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
