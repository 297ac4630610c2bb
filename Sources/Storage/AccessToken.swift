import Foundation
import OAuth

/// An opaque access token, good for the userinfo endpoint alone.
package struct AccessToken: Sendable {
    package let digest: String
    /// The authorization code's `authorizationID`.
    package let authorizationID: String
    package let clientID: String
    package let userID: String
    package let scope: Scope
    /// Single claims that the client has asked for.
    package let claims: ClaimsRequest?
    package let expiresAt: Date
    /// What whoever uses the token must prove to hold.
    package let confirmation: Confirmation
    /// The organization that the user has signed in to; nil for none.
    package let organizationID: String?

    package init(
        digest: String, authorizationID: String, clientID: String, userID: String, scope: Scope,
        claims: ClaimsRequest? = nil, expiresAt: Date, confirmation: Confirmation = Confirmation(),
        organizationID: String? = nil
    ) {
        (self.digest, self.authorizationID, self.clientID) = (digest, authorizationID, clientID)
        (self.userID, self.scope, self.claims, self.expiresAt) = (userID, scope, claims, expiresAt.storable)
        (self.confirmation, self.organizationID) = (confirmation, organizationID)
    }
}

/// The opaque access tokens of the tenant.
package struct AccessTokenStore: Sendable {
    let database: any SQLDatabase

    /// The token, unless it has expired or been revoked.
    package func find(digest: String, at now: Date) async throws -> AccessToken? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT * FROM access_token WHERE digest = \(digest) AND expires_at > \(now)")
                .map(AccessToken.init)
        }
    }

    /// Keeps a token that is about to be issued.
    package static func insert(_ token: AccessToken, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO access_token (digest, authorization_id, client_id, user_id, scope, claims, expires_at,
                key_thumbprint, certificate_thumbprint, organization_id)
            VALUES (\(token.digest), \(token.authorizationID), \(token.clientID), \(token.userID), \(token.scope.text),
                \(token.claims?.text), \(token.expiresAt), \(token.confirmation.keyThumbprint),
                \(token.confirmation.certificateThumbprint), \(token.organizationID))
            """)
    }

    /// - Returns: whether the client had such a token.
    @discardableResult
    package static func delete(
        digest: String, clientID: String, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.changes(
            "DELETE FROM access_token WHERE digest = \(digest) AND client_id = \(clientID)") == 1
    }
}

extension AccessToken {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        authorizationID = try row.text("authorization_id")
        clientID = try row.text("client_id")
        userID = try row.text("user_id")
        scope = try Scope(parsing: row.text("scope"))
        claims = try row.optionalText("claims").map(ClaimsRequest.init(parsing:))
        expiresAt = try row.date("expires_at")
        confirmation = Confirmation(row)
        organizationID = row.optionalText("organization_id")
    }
}

extension Confirmation {
    init(_ row: SQLRow) {
        self.init(
            keyThumbprint: row.optionalText("key_thumbprint"),
            certificateThumbprint: row.optionalText("certificate_thumbprint"))
    }
}
