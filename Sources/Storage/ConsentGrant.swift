import Foundation
import OAuth

/// What a user has allowed an application to do with an API: Auth0's `/api/v2/grants`.
package struct ConsentGrant: Sendable, Hashable {
    package let userID: String
    package let clientID: String
    /// The API's identifier; nil for the user's own profile.
    package let audience: String?
    /// The organization that the user had signed in to, for which alone the consent holds; nil for none.
    package let organizationID: String?
    package let scope: Scope
}

/// The consents of the tenant's users.
package struct ConsentGrantStore: Sendable {
    let database: any SQLDatabase

    /// What the user has allowed so far; nil where the user was never asked, or has allowed nothing.
    package func scope(
        userID: String, clientID: String, audience: String?, organizationID: String? = nil
    ) async throws -> Scope? {
        try await database.readOnce { transaction in
            try Self.scope(
                userID: userID, clientID: clientID, audience: audience, organizationID: organizationID, in: transaction)
        }
    }

    private static func scope(
        userID: String, clientID: String, audience: String?, organizationID: String?,
        in transaction: any SQLTransaction
    ) throws -> Scope? {
        let row = try transaction.row(
            """
            SELECT scope FROM consent_grant
            WHERE user_id = \(userID) AND client_id = \(clientID) AND audience = \(audience ?? "")
                AND organization_id = \(organizationID ?? "")
            """)
        return try row.map { try Scope(parsing: $0.text("scope")) }
    }

    /// Adds what the user allows now to what was allowed before.
    package static func allow(_ grant: ConsentGrant, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.lock("SELECT user_id FROM user_account WHERE user_id = \(grant.userID)")
        let before =
            try scope(
                userID: grant.userID, clientID: grant.clientID, audience: grant.audience,
                organizationID: grant.organizationID, in: transaction) ?? .empty
        try transaction.execute(
            """
            INSERT INTO consent_grant (id, user_id, client_id, audience, organization_id, scope, created_at)
            VALUES (\(RandomBytes.hexadecimal(24)), \(grant.userID), \(grant.clientID), \(grant.audience ?? ""),
                \(grant.organizationID ?? ""), \(before.union(grant.scope).text), \(now))
            ON CONFLICT (user_id, client_id, audience, organization_id) DO UPDATE SET scope = excluded.scope
            """)
    }
}

extension ConsentGrant {
    package init(
        _ userID: String, clientID: String, audience: String?, organizationID: String? = nil, scope: Scope
    ) {
        (self.userID, self.clientID, self.audience) = (userID, clientID, audience)
        (self.organizationID, self.scope) = (organizationID, scope)
    }
}
