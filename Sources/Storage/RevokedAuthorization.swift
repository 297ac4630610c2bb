import Foundation

/// The authorizations that were taken back: what they issued and no row stands for, signed access tokens, is worth nothing
/// to whoever asks. A row lives as long as such a token can.
package struct RevokedAuthorizationStore: Sendable {
    let database: any SQLDatabase

    /// Seconds: no API's access tokens live longer.
    package static let lifetime: TimeInterval = 2_592_000

    /// Whether the authorization was taken back.
    package func contains(_ authorizationID: String) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row(
                "SELECT authorization_id FROM revoked_authorization WHERE authorization_id = \(authorizationID)") != nil
        }
    }

    static func insert(_ authorizationID: String, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO revoked_authorization (authorization_id, expires_at)
            VALUES (\(authorizationID), \(now.addingTimeInterval(lifetime)))
            ON CONFLICT (authorization_id) DO UPDATE SET expires_at = excluded.expires_at
            """)
    }
}
