import Foundation
import OAuth
import Storage

/// Making and changing signing keys.
package struct SigningKeys: Sendable {
    let stores: Stores
    let box: SecretBox
    let issuer: Issuer

    package init(stores: Stores, box: SecretBox, issuer: Issuer) {
        (self.stores, self.box, self.issuer) = (stores, box, issuer)
    }

    /// Makes a current and a next key of each kind that the tenant's `signing_algorithms` need and that has none. Of several
    /// processes that start at once one makes them.
    package func makeFirst(at now: Date) async throws {
        let there = try await Set(stores.signingKeys.list().map(\.kind))
        let missing = try await stores.tenant.settings().signingAlgorithms.keyKinds.filter { !there.contains($0) }
        guard !missing.isEmpty else { return }
        let keys = try missing.flatMap { kind in
            try Self.makePair(kind, box: box, certificateName: issuer.domain).map { $0(now) }
        }
        try await stores.database.write { try SigningKeyStore.insertFirst(keys, in: $0) }
    }

    /// The next key of each kind signs from now on, a new one is published as the next, and the old one stays published:
    /// nobody meets a signature of a key that their copy of the JWKS has not had for as long as the last rotation.
    /// Kinds that the tenant's `signing_algorithms` no longer need are left alone.
    /// - Returns: the ids of the new current and the new next key of each kind, RSA first.
    package func rotate(at now: Date) async throws -> [Rotation] {
        let rotation = try prepareRotation(for: try await stores.tenant.settings())
        return try await stores.database.write { try rotation(now, $0) }
    }

    /// A rotation whose new keys are made already, to be done in a transaction.
    package func prepareRotation(
        for settings: TenantSettings
    ) throws -> @Sendable (Date, any SQLTransaction) throws -> [Rotation] {
        let made = try settings.signingAlgorithms.keyKinds.map { kind in
            try Self.make(kind, .next, box: box, certificateName: issuer.domain)
        }
        return { now, transaction in
            let newNext = made.map { $0(now) }
            try SigningKeyStore.rotate(newNext: newNext, in: transaction)
            let current = try SigningKeyStore.list(in: transaction).filter { $0.state == .current }
            return newNext.map { next in
                Rotation(
                    kind: next.kind, current: current.first { $0.kind == next.kind }?.id ?? "", next: next.id)
            }
        }
    }

    /// What a rotation did to the keys of one kind.
    package struct Rotation: Sendable {
        package let kind: SigningKey.Kind
        /// The `kid` of the key that signs now.
        package let current: String
        /// The `kid` of the key that was made, and signs after the next rotation.
        package let next: String
    }

    /// A current and a next key whose time of making is not known yet: their private halves exist before the transaction
    /// that keeps them, which may run twice.
    /// - Parameter certificateName: the subject of an RSA key's certificate.
    package static func makePair(
        _ kind: SigningKey.Kind, box: SecretBox, certificateName: String
    ) throws -> [@Sendable (Date) -> SigningKey] {
        try [SigningKey.State.current, .next].map { try make(kind, $0, box: box, certificateName: certificateName) }
    }

    private static func make(
        _ kind: SigningKey.Kind, _ state: SigningKey.State, box: SecretBox, certificateName: String
    ) throws -> @Sendable (Date) -> SigningKey {
        let key = try SigningKeyPair.generate(kind)
        let certificate =
            kind == .rsa ? Data(try key.selfSignedCertificate(commonName: certificateName)).base64EncodedString() : nil
        let (id, sealed) = (Base64URL.encode(RandomBytes.make(16)), try box.seal(key.pem()))
        return { now in
            SigningKey(
                id: id, kind: kind, state: state, sealedPrivateKey: sealed, certificate: certificate, createdAt: now)
        }
    }
}
