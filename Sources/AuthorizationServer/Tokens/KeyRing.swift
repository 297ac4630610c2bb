import Crypto
import Foundation
import OAuth
import Storage

/// The tenant's signing keys, opened: one signs, all verify.
package struct KeyRing: Sendable {
    package let current: Key
    /// Every key whose signatures are accepted and published.
    package let keys: [Key]

    /// A signing key with what is published of it.
    package struct Key: Sendable {
        package let id: String
        package let state: SigningKey.State
        package let key: RSAKey
        package let certificate: String
        package let createdAt: Date
        /// The public half, [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517).
        package let jsonWebKey: JSONObject
        /// The protected headers that name this key, encoded once.
        let accessTokenHeader, rfc9068Header: [UInt8]
    }

    /// - Throws: ``SecretBox/CannotOpen`` where the server's secret is another than the one that sealed the keys.
    init?(_ rows: [SigningKey], box: SecretBox) throws {
        keys = try rows.map { try Key($0, box: box) }
        guard let current = keys.first(where: { $0.state == .current }) else { return nil }
        self.current = current
        jsonWebKeySetBytes = try JSON.bytes(Self.jsonWebKeySet(keys))
    }

    package subscript(id id: String) -> Key? { keys.first { $0.id == id } }

    /// The document at `/.well-known/jwks.json`: the current key first.
    package let jsonWebKeySetBytes: Data

    private static func jsonWebKeySet(_ keys: [Key]) -> JSONObject {
        let order: [SigningKey.State] = [.current, .next, .previous]
        let sorted = keys.sorted { (order.firstIndex(of: $0.state) ?? 0) < (order.firstIndex(of: $1.state) ?? 0) }
        return ["keys": .array(sorted.map { .object($0.jsonWebKey) })]
    }
}

extension KeyRing.Key {
    fileprivate init(_ row: SigningKey, box: SecretBox) throws {
        (id, state, certificate, createdAt) = (row.id, row.state, row.certificate, row.createdAt)
        key = try RSAKey(pem: box.open(row.sealedPrivateKey))
        let (modulus, exponent) = try key.publicNumbers()
        let der = Data(base64Encoded: row.certificate) ?? Data()
        jsonWebKey = [
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": .string(row.id),
            "n": .string(Base64URL.encode(modulus)), "e": .string(Base64URL.encode(exponent)),
            "x5c": [.string(row.certificate)], "x5t": .string(Base64URL.encode(Insecure.SHA1.hash(data: der))),
        ]
        accessTokenHeader = JSONWebToken.header(algorithm: .rs256, type: "JWT", keyID: row.id)
        rfc9068Header = JSONWebToken.header(algorithm: .rs256, type: "at+jwt", keyID: row.id)
    }
}

/// Making and changing signing keys.
package struct SigningKeys: Sendable {
    let stores: Stores
    let box: SecretBox
    let issuer: Issuer

    package init(stores: Stores, box: SecretBox, issuer: Issuer) {
        (self.stores, self.box, self.issuer) = (stores, box, issuer)
    }

    /// Makes a current and a next key where there are none. Of several processes that start at once one makes them: the
    /// schema allows one current and one next key.
    package func makeFirst(at now: Date) async throws {
        guard try await stores.signingKeys.list().isEmpty else { return }
        let (current, next) = (try make(.current, at: now), try make(.next, at: now))
        do {
            try await stores.database.write { transaction in
                try SigningKeyStore.insert(current, in: transaction)
                try SigningKeyStore.insert(next, in: transaction)
            }
        } catch SQLError.uniqueViolation {
            return
        }
    }

    /// The next key signs from now on, a new one is published as the next, and the old one stays published: nobody
    /// meets a signature of a key that their copy of the JWKS has not had for as long as the last rotation.
    /// - Returns: the ids of the new current and the new next key.
    package func rotate(at now: Date) async throws -> (current: String, next: String) {
        let newNext = try make(.next, at: now)
        return try await stores.database.write { transaction in
            try SigningKeyStore.rotate(newNext: newNext, in: transaction)
            let current = try SigningKeyStore.list(in: transaction).first { $0.state == .current }
            return (current?.id ?? "", newNext.id)
        }
    }

    private func make(_ state: SigningKey.State, at now: Date) throws -> SigningKey {
        let key = try RSAKey.generate()
        let certificate = try key.selfSignedCertificate(commonName: issuer.domain)
        return SigningKey(
            id: Base64URL.encode(RandomBytes.make(16)), state: state, sealedPrivateKey: try box.seal(key.pem()),
            certificate: Data(certificate).base64EncodedString(), createdAt: now)
    }
}
