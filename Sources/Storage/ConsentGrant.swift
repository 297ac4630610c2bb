import Foundation
import OAuth

/// What a user has allowed an application to do with an API: Auth0's `/api/v2/grants`.
package struct ConsentGrant: Sendable, Hashable {
    package let userID: String
    package let clientID: String
    /// The API's identifier; nil for the user's own profile.
    package let audience: String?
    package let scope: Scope
}

/// The consents of the tenant's users.
package struct ConsentGrantStore: Sendable {
    let database: any SQLDatabase

    /// What the user has allowed so far; nil where the user was never asked, or has allowed nothing.
    package func scope(userID: String, clientID: String, audience: String?) async throws -> Scope? {
        try await database.readOnce { transaction in
            try Self.scope(userID: userID, clientID: clientID, audience: audience, in: transaction)
        }
    }

    private static func scope(
        userID: String, clientID: String, audience: String?, in transaction: any SQLTransaction
    ) throws -> Scope? {
        let row = try transaction.row(
            """
            SELECT scope FROM consent_grant
            WHERE user_id = \(userID) AND client_id = \(clientID) AND audience = \(audience ?? "")
            """)
        return try row.map { try Scope(parsing: $0.text("scope")) }
    }

    /// Adds what the user allows now to what was allowed before.
    package static func allow(_ grant: ConsentGrant, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.lock("SELECT user_id FROM user_account WHERE user_id = \(grant.userID)")
        let before =
            try scope(
                userID: grant.userID, clientID: grant.clientID, audience: grant.audience, in: transaction) ?? .empty
        try transaction.execute(
            """
            INSERT INTO consent_grant (id, user_id, client_id, audience, scope, created_at)
            VALUES (\(RandomBytes.hexadecimal(24)), \(grant.userID), \(grant.clientID), \(grant.audience ?? ""),
                \(before.union(grant.scope).text), \(now))
            ON CONFLICT (user_id, client_id, audience) DO UPDATE SET scope = excluded.scope
            """)
    }
}

extension ConsentGrant {
    package init(_ userID: String, clientID: String, audience: String?, scope: Scope) {
        (self.userID, self.clientID, self.audience, self.scope) = (userID, clientID, audience, scope)
    }
}
