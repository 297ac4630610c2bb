import Crypto
import Foundation
import OAuth

/// Somebody else's public key, [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517): an application's, which signs
/// assertions, request objects and proofs of possession with its private half.
package struct JSONWebKey: Sendable {
    /// The `kid`; nil where the key has none.
    package let keyID: String?
    /// The algorithm that the key is for; nil for each that fits its kind.
    private let algorithm: String?
    private let key: PublicKey
    /// What the `x5c` begins with; nil where there is none.
    private let certificate: String?
    /// The members that make the key what it is, RFC 7638 §3.2.
    private let identity: JSONObject

    /// Why a key is not used.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Throws: ``Problem`` for a key of a kind that no algorithm here uses, a weak one, a private or secret one, and one
    ///   whose `use` or `key_ops` is another than to verify.
    package init(_ members: JSONObject) throws(Problem) {
        guard members["d"] == nil, members["k"] == nil else {
            throw Problem(description: "it has a private part ('d' or 'k'), which belongs to its owner alone")
        }
        guard members["use"].map({ $0 == "sig" }) ?? true else { throw Problem(description: "its 'use' is not 'sig'") }
        guard members["key_ops"].map({ $0.array?.contains("verify") == true }) ?? true else {
            throw Problem(description: "its 'key_ops' have no 'verify'")
        }
        keyID = try Self.text("kid", members)
        algorithm = try Self.text("alg", members)
        certificate = members["x5c"]?.array?.first?.string
        switch (members["kty"], members["crv"]) {
        case ("RSA", _):
            key = try PublicKey(modulus: Self.bytes("n", members), exponent: Self.bytes("e", members))
            identity = members.filter { ["kty", "n", "e"].contains($0.key) }
        case ("EC", "P-256"):
            key = try PublicKey(curve: .p256, x: Self.bytes("x", members), y: Self.bytes("y", members))
            identity = members.filter { ["kty", "crv", "x", "y"].contains($0.key) }
        case ("EC", "P-384"):
            key = try PublicKey(curve: .p384, x: Self.bytes("x", members), y: Self.bytes("y", members))
            identity = members.filter { ["kty", "crv", "x", "y"].contains($0.key) }
        case ("OKP", "Ed25519"):
            key = try PublicKey(ed25519: Self.bytes("x", members))
            identity = members.filter { ["kty", "crv", "x"].contains($0.key) }
        default: throw Problem(description: "it is no RSA, P-256, P-384 or Ed25519 key")
        }
    }

    /// A public key or a certificate in PEM, as Auth0's credentials have it.
    /// - Throws: ``Problem`` as ``init(_:)``.
    package init(pem: String, keyID: String?, algorithm: JWSAlgorithm?) throws(Problem) {
        key = try PublicKey(pem: pem)
        if let algorithm, algorithm.family != key.family {
            throw Problem(description: "it is no key for \(algorithm.rawValue)")
        }
        (self.keyID, self.algorithm, identity) = (keyID, algorithm?.rawValue, [:])
        certificate = nil
    }

    private static func bytes(_ name: String, _ members: JSONObject) throws(Problem) -> [UInt8] {
        guard let text = members[name]?.string, text.utf8.count <= 2048, let bytes = Base64URL.decode(text) else {
            throw Problem(description: "its '\(name)' is no base64url text")
        }
        return bytes
    }

    private static func text(_ name: String, _ members: JSONObject) throws(Problem) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.string, text.utf8.count <= 255 else {
            throw Problem(description: "its '\(name)' is no text")
        }
        return text
    }

    /// Whether signatures by `algorithm` may be this key's: its kind and its `alg` fit.
    func fits(_ algorithm: JWSAlgorithm) -> Bool {
        algorithm.family == key.family && (self.algorithm.map { $0 == algorithm.rawValue } ?? true)
    }

    /// Whether `signature` is this key's signature of `message`; never by an algorithm that does not fit the key.
    func verifies(_ signature: [UInt8], of message: [UInt8], by algorithm: JWSAlgorithm) -> Bool {
        fits(algorithm) && key.verifies(signature, of: message, by: algorithm)
    }

    /// The `x5t#S256` of the key's certificate; nil where there is none that can be read. Signatures need none of it.
    var certificateThumbprint: String? {
        certificate.flatMap { Data(base64Encoded: $0) }.flatMap { try? ClientCertificate(der: Array($0)).thumbprint }
    }

    /// The SHA-256 thumbprint in base64url, [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638); for keys from JSON.
    package func thumbprint() throws -> String { Base64URL.encode(SHA256.hash(data: try JSON.bytes(identity))) }
}

/// The public keys of one owner, [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5).
package struct JSONWebKeySet: Sendable {
    package let keys: [JSONWebKey]

    /// More keys than these are nobody's, and would make each signature slow to refuse.
    private static let most = 50

    package init(_ keys: [JSONWebKey]) { self.keys = keys }

    /// Reads a set; keys that are of no use here are left out, as RFC 7517 §5 says.
    /// - Throws: ``JSONWebKey/Problem`` for what is no set, or has too many keys.
    package init(_ members: JSONObject) throws(JSONWebKey.Problem) {
        guard let all = members["keys"]?.array else { throw JSONWebKey.Problem(description: "it has no list 'keys'") }
        guard all.count <= Self.most else {
            throw JSONWebKey.Problem(description: "it has more than \(Self.most) keys")
        }
        keys = all.compactMap { value in value.object.flatMap { try? JSONWebKey($0) } }
    }

    /// Signatures are tried with no more keys than these: the owner of a large set must not make a stranger's token costly.
    private static let mostTried = 8

    /// The keys that may have made a signature: with the `kid` that its header names, where both have one; those with
    /// that `kid` first.
    func candidates(keyID: String?, algorithm: JWSAlgorithm) -> [JSONWebKey] {
        let fitting = keys.filter { key in
            key.fits(algorithm) && (keyID == nil || key.keyID == nil || keyID == key.keyID)
        }
        let named = fitting.filter { $0.keyID != nil && $0.keyID == keyID }
        return Array((named + fitting.filter { $0.keyID == nil || $0.keyID != keyID }).prefix(Self.mostTried))
    }
}
