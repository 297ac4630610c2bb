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
    package let kind: Kind
    package let state: State
    /// The private key as PEM, sealed with the server's secret.
    package let sealedPrivateKey: String
    /// A self-signed certificate of the public key, DER in Base64: the `x5c` of the JWKS. RSA keys alone have one, as
    /// Auth0's do.
    package let certificate: String?
    package let createdAt: Date

    package init(
        id: String, kind: Kind, state: State, sealedPrivateKey: String, certificate: String?, createdAt: Date
    ) {
        (self.id, self.kind, self.state, self.sealedPrivateKey) = (id, kind, state, sealedPrivateKey)
        (self.certificate, self.createdAt) = (certificate, createdAt.storable)
    }
}

/// The signing keys of the tenant: of each kind one current, one next, and the previous ones until they are removed.
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

    /// - Throws: ``SQLError/uniqueViolation(_:)`` where a current or a next key of the kind is there already.
    package static func insert(_ key: SigningKey, in transaction: any SQLTransaction) throws {
        // The column is older than keys without a certificate: it knows no NULL.
        try transaction.execute(
            """
            INSERT INTO signing_key (kid, kind, state, sealed_private_key, certificate, created_at)
            VALUES (\(key.id), \(key.kind.rawValue), \(key.state.rawValue), \(key.sealedPrivateKey),
                \(key.certificate ?? ""), \(key.createdAt))
            """)
        try TenantStore.configurationChanged(in: transaction)
    }

    /// Inserts the first keys of kinds that have none; keys of a kind that is there already are left out. Of several
    /// processes that come at once one inserts its keys.
    package static func insertFirst(_ keys: [SigningKey], in transaction: any SQLTransaction) throws {
        try TenantStore.lockConfiguration(in: transaction)
        let kinds = try Set(list(in: transaction).map(\.kind))
        for key in keys where !kinds.contains(key.kind) { try insert(key, in: transaction) }
    }

    /// Removes a key: what it signed no longer verifies.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM signing_key WHERE kid = \(id)")
        try TenantStore.configurationChanged(in: transaction)
    }

    /// For each of `newNext`, the current key of its kind becomes a previous one, the next one current, and the new one
    /// the next.
    package static func rotate(newNext: [SigningKey], in transaction: any SQLTransaction) throws {
        try TenantStore.lockConfiguration(in: transaction)
        for key in newNext {
            let kind = key.kind.rawValue
            try transaction.execute(
                "UPDATE signing_key SET state = 'previous' WHERE state = 'current' AND kind = \(kind)")
            try transaction.execute("UPDATE signing_key SET state = 'current' WHERE state = 'next' AND kind = \(kind)")
            try insert(key, in: transaction)
        }
    }
}

extension SigningKey {
    fileprivate init(_ row: SQLRow) throws {
        id = try row.text("kid")
        guard let kind = Kind(rawValue: try row.text("kind")) else { throw SQLError.unexpectedValue(column: "kind") }
        guard let state = State(rawValue: try row.text("state")) else {
            throw SQLError.unexpectedValue(column: "state")
        }
        (self.kind, self.state) = (kind, state)
        sealedPrivateKey = try row.text("sealed_private_key")
        let certificate = try row.text("certificate")
        self.certificate = certificate.isEmpty ? nil : certificate
        createdAt = try row.date("created_at")
    }
}
