import Foundation
import OAuth

/// How a client that registered itself may manage its registration,
/// [RFC 7592](https://www.rfc-editor.org/rfc/rfc7592). It ends with its client.
package struct ClientRegistration: Sendable, Equatable {
    package let clientID: String
    /// The digest of the registration access token.
    package let accessTokenDigest: String
    package let registeredAt: Date

    package init(clientID: String, accessTokenDigest: String, registeredAt: Date) {
        (self.clientID, self.accessTokenDigest) = (clientID, accessTokenDigest)
        self.registeredAt = registeredAt.storable
    }
}

/// The registrations of the clients that registered themselves.
package struct ClientRegistrationStore: Sendable {
    let database: any SQLDatabase

    /// The registration that a token may manage, or nil where the token is unknown or replaced.
    package func find(accessTokenDigest: String) async throws -> ClientRegistration? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT * FROM client_registration WHERE access_token_digest = \(accessTokenDigest)")
                .map(ClientRegistration.init)
        }
    }

    /// Keeps a registration whose client is there.
    package static func insert(_ registration: ClientRegistration, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO client_registration (client_id, access_token_digest, registered_at)
            VALUES (\(registration.clientID), \(registration.accessTokenDigest), \(registration.registeredAt))
            """)
    }

    /// Replaces the token. Of several changes that race with one token, one wins.
    /// - Returns: whether `old` was the client's token until now.
    package static func replaceToken(
        of clientID: String, from old: String, to new: String, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.changes(
            """
            UPDATE client_registration SET access_token_digest = \(new)
            WHERE client_id = \(clientID) AND access_token_digest = \(old)
            """) == 1
    }
}

extension ClientRegistration {
    fileprivate init(_ row: SQLRow) throws {
        clientID = try row.text("client_id")
        accessTokenDigest = try row.text("access_token_digest")
        registeredAt = try row.date("registered_at")
    }
}
