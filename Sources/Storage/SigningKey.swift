import Foundation

/// A key that signs tokens, its private half sealed.
package struct SigningKey: Sendable, Hashable {
    /// What a key is for at present.
    package enum State: String, Sendable {
        /// Published already, signs after the next rotation.
        case next
        /// Signs.
        case current
        /// Still published, so that what it signed verifies.
        case previous
    }

    /// The `kid` of its signatures.
    package let id: String
    package let state: State
    /// The private key as PEM, sealed with the server's secret.
    package let sealedPrivateKey: String
    /// A self-signed certificate of the public key, DER in Base64: the `x5c` of the JWKS.
    package let certificate: String
    package let createdAt: Date

    package init(id: String, state: State, sealedPrivateKey: String, certificate: String, createdAt: Date) {
        (self.id, self.state, self.sealedPrivateKey) = (id, state, sealedPrivateKey)
        (self.certificate, self.createdAt) = (certificate, createdAt.storable)
    }
}

/// The signing keys of the tenant: one current, one next, and the previous ones until they are removed.
package struct SigningKeyStore: Sendable {
    let database: any SQLDatabase

    /// Every key, the newest first.
    package func list() async throws -> [SigningKey] {
        try await database.readOnce { try Self.list(in: $0) }
    }

    /// Every key, the newest first.
    package static func list(in transaction: any SQLTransaction) throws -> [SigningKey] {
        try transaction.rows("SELECT * FROM signing_key ORDER BY created_at DESC, kid").map(SigningKey.init)
    }

    /// - Throws: ``SQLError/uniqueViolation(_:)`` where a current or a next key is there already.
    package static func insert(_ key: SigningKey, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO signing_key (kid, state, sealed_private_key, certificate, created_at)
            VALUES (\(key.id), \(key.state.rawValue), \(key.sealedPrivateKey), \(key.certificate), \(key.createdAt))
            """)
        try TenantStore.configurationChanged(in: transaction)
    }

    /// The current key becomes a previous one, the next one current, and `newNext` the next.
    package static func rotate(newNext: SigningKey, in transaction: any SQLTransaction) throws {
        try TenantStore.lockConfiguration(in: transaction)
        try transaction.execute("UPDATE signing_key SET state = 'previous' WHERE state = 'current'")
        try transaction.execute("UPDATE signing_key SET state = 'current' WHERE state = 'next'")
        try insert(newNext, in: transaction)
    }
}

extension SigningKey {
    fileprivate init(_ row: SQLRow) throws {
        id = try row.text("kid")
        guard let state = State(rawValue: try row.text("state")) else {
            throw SQLError.unexpectedValue(column: "state")
        }
        self.state = state
        sealedPrivateKey = try row.text("sealed_private_key")
        certificate = try row.text("certificate")
        createdAt = try row.date("created_at")
    }
}
