import Crypto
import CryptoExtras
import Foundation
import OAuth

/// A key pair of somebody else's, such as an application's: it signs whatever it is told to, with any header.
package struct ForeignKey: Sendable {
    private enum Kind: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case secret(String)
    }

    private let kind: Kind
    /// The `kid`; nil leaves it out.
    package let keyID: String?

    private static let rsaKeys = Result {
        try ["application", "other"].map { (name: $0, key: try _RSA.Signing.PrivateKey(keySize: .bits2048)) }
    }

    /// One of two RSA keys, `application` or `other`; they are made once per run.
    package static func rsa(_ name: String = "application", keyID: String? = "rsa") throws -> ForeignKey {
        let key = try rsaKeys.get().first { $0.name == name }?.key
        return ForeignKey(kind: .rsa(try key ?? _RSA.Signing.PrivateKey(keySize: .bits2048)), keyID: keyID)
    }
    /// An RSA key that is too short to be trusted.
    package static func weakRSA(keyID: String? = "weak") throws -> ForeignKey {
        ForeignKey(kind: .rsa(try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024))), keyID: keyID)
    }
    /// A new P-256 key.
    package static func p256(keyID: String? = "p256") -> ForeignKey { ForeignKey(kind: .p256(.init()), keyID: keyID) }
    /// A new P-384 key.
    package static func p384(keyID: String? = "p384") -> ForeignKey { ForeignKey(kind: .p384(.init()), keyID: keyID) }
    /// A new Ed25519 key.
    package static func ed25519(keyID: String? = "ed25519") -> ForeignKey {
        ForeignKey(kind: .ed25519(.init()), keyID: keyID)
    }
    /// A shared secret.
    package static func secret(_ text: String, keyID: String? = nil) -> ForeignKey {
        ForeignKey(kind: .secret(text), keyID: keyID)
    }

    /// The algorithm that this key signs with by itself.
    package var standardAlgorithm: String {
        switch kind {
        case .rsa: "RS256"
        case .p256: "ES256"
        case .p384: "ES384"
        case .ed25519: "EdDSA"
        case .secret: "HS256"
        }
    }

    /// A JSON Web Token; `header` adds to or replaces `alg`, `typ` and `kid`, and null removes one.
    package func token(
        _ claims: JSONObject, algorithm: String? = nil, header: JSONObject = [:]
    ) throws -> String {
        let name = algorithm ?? standardAlgorithm
        var all: JSONObject = ["alg": .string(name), "typ": "JWT"]
        all["kid"] = keyID.map(JSONValue.string)
        all = all.merging(header) { $1 }.filter { $0.value != .null }
        let input = try Base64URL.encode(JSON.bytes(all)) + "." + Base64URL.encode(JSON.bytes(claims))
        return try input + "." + Base64URL.encode(signature(of: Data(input.utf8), by: name))
    }

    /// The signature of `message` by `algorithm`, as RFC 7518 §3 writes it.
    package func signature(of message: Data, by algorithm: String) throws -> Data {
        switch (kind, algorithm.suffix(3)) {
        case (.rsa(let key), "384"):
            try key.signature(for: SHA384.hash(data: message), padding: Self.padding(algorithm)).rawRepresentation
        case (.rsa(let key), "512"):
            try key.signature(for: SHA512.hash(data: message), padding: Self.padding(algorithm)).rawRepresentation
        case (.rsa(let key), _):
            try key.signature(for: SHA256.hash(data: message), padding: Self.padding(algorithm)).rawRepresentation
        case (.p256(let key), _): try key.signature(for: message).rawRepresentation
        case (.p384(let key), _): try key.signature(for: message).rawRepresentation
        case (.ed25519(let key), _): try key.signature(for: message)
        case (.secret(let text), "384"):
            Data(HMAC<SHA384>.authenticationCode(for: message, using: SymmetricKey(data: Data(text.utf8))))
        case (.secret(let text), "512"):
            Data(HMAC<SHA512>.authenticationCode(for: message, using: SymmetricKey(data: Data(text.utf8))))
        case (.secret(let text), _):
            Data(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Data(text.utf8))))
        }
    }

    private static func padding(_ algorithm: String) -> _RSA.Signing.Padding {
        algorithm.hasPrefix("PS") ? .PSS : .insecurePKCS1v1_5
    }

    /// The public half as a JSON Web Key.
    package var jsonWebKey: JSONObject {
        get throws {
            var members: JSONObject
            switch kind {
            case .rsa(let key):
                let numbers = try key.publicKey.getKeyPrimitives()
                members = [
                    "kty": "RSA", "n": .string(Base64URL.encode(numbers.modulus)),
                    "e": .string(Base64URL.encode(numbers.publicExponent)),
                ]
            case .p256(let key): members = Self.curve("P-256", key.publicKey.rawRepresentation)
            case .p384(let key): members = Self.curve("P-384", key.publicKey.rawRepresentation)
            case .ed25519(let key):
                members = [
                    "kty": "OKP", "crv": "Ed25519", "x": .string(Base64URL.encode(key.publicKey.rawRepresentation)),
                ]
            case .secret(let text): members = ["kty": "oct", "k": .string(Base64URL.encode(Array(text.utf8)))]
            }
            members["kid"] = keyID.map(JSONValue.string)
            return members
        }
    }

    private static func curve(_ name: String, _ point: Data) -> JSONObject {
        [
            "kty": "EC", "crv": .string(name), "x": .string(Base64URL.encode(point.prefix(point.count / 2))),
            "y": .string(Base64URL.encode(point.suffix(point.count / 2))),
        ]
    }

    /// The public half in PEM; empty for a shared secret.
    package var pem: String {
        switch kind {
        case .rsa(let key): key.publicKey.pemRepresentation
        case .p256(let key): key.publicKey.pemRepresentation
        case .p384(let key): key.publicKey.pemRepresentation
        case .ed25519, .secret: ""
        }
    }
}
