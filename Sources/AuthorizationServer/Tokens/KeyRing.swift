import Crypto
import Foundation
import OAuth
import Storage

/// The tenant's signing keys, opened: one of each kind signs, all verify.
package struct KeyRing: Sendable {
    /// The RSA key that signs where nothing else is asked for, with RS256.
    package let current: Key
    /// Every key whose signatures are accepted and published, each once, with the usual algorithm of its kind.
    package let keys: [Key]
    /// The document at `/.well-known/jwks.json`: the current RSA key first.
    package let jsonWebKeySetBytes: Data

    private let algorithms: SigningAlgorithms
    private let signers: [SigningAlgorithm: Key]

    /// A signing key, with one of its algorithms and what is published of it.
    package struct Key: Sendable {
        package let id: String
        package let state: SigningKey.State
        package let key: SigningKeyPair
        package let algorithm: SigningAlgorithm
        package let certificate: String?
        package let createdAt: Date
        /// The public half, [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517).
        package let jsonWebKey: JSONObject
        /// The protected headers that name this key and algorithm, encoded once.
        let accessTokenHeader, rfc9068Header: [UInt8]

        package var kind: SigningKey.Kind { key.kind }
    }

    /// The tenant has no key for an algorithm.
    package struct NoKey: Error, CustomStringConvertible {
        let algorithm: SigningAlgorithm
        package var description: String {
            "The tenant has no key for \(algorithm.rawValue). Add it to the tenant's signing_algorithms, with portico apply."
        }
    }

    /// - Parameter algorithms: the tenant's; keys of other kinds are neither published nor accepted.
    /// - Throws: ``SecretBox/CannotOpen`` where the server's secret is another than the one that sealed the keys.
    init?(_ rows: [SigningKey], algorithms: SigningAlgorithms = .standard, box: SecretBox) throws {
        let kinds = algorithms.keyKinds
        let order: [SigningKey.State] = [.current, .next, .previous]
        let sorted = kinds.flatMap { kind in
            order.flatMap { state in rows.filter { $0.kind == kind && $0.state == state } }
        }
        keys = try sorted.map { try Key($0, algorithms: algorithms, box: box) }
        let current = keys.filter { $0.state == .current }
        let signers = algorithms.values.compactMap { algorithm in
            current.first { $0.kind == algorithm.keyKind }.map { (algorithm, $0.signing(with: algorithm)) }
        }
        self.signers = Dictionary(uniqueKeysWithValues: signers)
        guard let standard = self.signers[.rs256] else { return nil }
        (self.current, self.algorithms) = (standard, algorithms)
        jsonWebKeySetBytes = try JSON.bytes(["keys": JSONValue.array(keys.map { .object($0.jsonWebKey) })])
    }

    package subscript(id id: String) -> Key? { keys.first { $0.id == id } }

    /// The key that signs with `algorithm`.
    /// - Throws: ``NoKey``.
    package func current(for algorithm: SigningAlgorithm) throws -> Key {
        guard let key = signers[algorithm] else { throw NoKey(algorithm: algorithm) }
        return key
    }

    /// The key that `id` names, where its kind and the tenant have `algorithm`; nil otherwise, so that no token chooses
    /// how its signature is read (RFC 8725 §3.1).
    func verifier(id: String, algorithm: String) -> Key? {
        guard let key = self[id: id], let algorithm = SigningAlgorithm(rawValue: algorithm),
            algorithm.keyKind == key.kind, algorithms.allow(algorithm)
        else { return nil }
        return algorithm == key.algorithm ? key : key.signing(with: algorithm)
    }
}

extension KeyRing.Key {
    fileprivate init(_ row: SigningKey, algorithms: SigningAlgorithms, box: SecretBox) throws {
        let pair = try SigningKeyPair(pem: box.open(row.sealedPrivateKey))
        let ofKind = algorithms.values.filter { $0.keyKind == pair.kind }
        guard let usual = ofKind.first else { throw KeyRing.NoKey(algorithm: pair.kind.algorithms[0]) }
        var members = try pair.publicMembers()
        members["kid"] = .string(row.id)
        members["use"] = "sig"
        // A key of two algorithms names neither: clients take `alg` for the only one that it may be used with.
        if ofKind.count == 1 { members["alg"] = .string(usual.rawValue) }
        if let certificate = row.certificate {
            let der = Data(base64Encoded: certificate) ?? Data()
            members["x5c"] = [.string(certificate)]
            members["x5t"] = .string(Base64URL.encode(Insecure.SHA1.hash(data: der)))
        }
        self.init(
            id: row.id, state: row.state, key: pair, algorithm: usual, certificate: row.certificate,
            createdAt: row.createdAt, jsonWebKey: members)
    }

    private init(
        id: String, state: SigningKey.State, key: SigningKeyPair, algorithm: SigningAlgorithm, certificate: String?,
        createdAt: Date, jsonWebKey: JSONObject
    ) {
        (self.id, self.state, self.key, self.algorithm) = (id, state, key, algorithm)
        (self.certificate, self.createdAt, self.jsonWebKey) = (certificate, createdAt, jsonWebKey)
        accessTokenHeader = JSONWebToken.header(algorithm: algorithm, type: "JWT", keyID: id)
        rfc9068Header = JSONWebToken.header(algorithm: algorithm, type: "at+jwt", keyID: id)
    }

    /// The same key with another of its algorithms.
    fileprivate func signing(with algorithm: SigningAlgorithm) -> KeyRing.Key {
        KeyRing.Key(
            id: id, state: state, key: key, algorithm: algorithm, certificate: certificate, createdAt: createdAt,
            jsonWebKey: jsonWebKey)
    }
}
