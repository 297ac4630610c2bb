import Foundation
import OAuth

/// A family of refresh tokens with what is known of its use.
package struct IssuedRefreshToken: Sendable {
    package let family: RefreshTokenFamily
    package let createdAt: Date
    /// When the newest token was exchanged, or issued.
    package let lastUsedAt: Date
    /// What applications have noted with it, for themselves.
    package let metadata: JSONObject
}

extension RefreshTokenStore {
    /// The family with this id, or nil where there is none.
    package static func find(id: String, in transaction: any SQLTransaction) throws -> IssuedRefreshToken? {
        try transaction.row("\(part: selection) WHERE refresh_token_family.id = \(id)").map(IssuedRefreshToken.init)
    }

    /// The families of a user, or those for one client, in the order of their ids from the one after `after` on.
    package static func list(
        of userID: String, clientID: String? = nil, after: String = "", limit: Int,
        in transaction: any SQLTransaction
    ) throws -> [IssuedRefreshToken] {
        let client: SQL = clientID.map { " AND client_id = \($0)" } ?? ""
        return try transaction.rows(
            """
            \(part: selection) WHERE user_id = \(userID)\(part: client) AND refresh_token_family.id > \(after)
            ORDER BY refresh_token_family.id LIMIT \(limit)
            """
        ).map(IssuedRefreshToken.init)
    }

    /// Lets a family end at another time.
    package static func setExpiry(of id: String, expiresAt: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE refresh_token_family SET expires_at = \(expiresAt) WHERE id = \(id)")
    }

    /// Lets a family end unless it is used before; nil for no such end.
    package static func setIdleExpiry(
        of id: String, idleExpiresAt: Date?, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE refresh_token_family SET idle_expires_at = \(idleExpiresAt) WHERE id = \(id)")
    }

    /// Replaces what applications have noted with a family.
    package static func setMetadata(_ metadata: JSONObject, of id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE refresh_token_family SET metadata = \(JSON.text(metadata)) WHERE id = \(id)")
    }

    /// Takes back the tokens of a user for one client.
    package static func revokeAll(
        of userID: String, clientID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        let rows = try transaction.rows(
            """
            SELECT authorization_id FROM refresh_token_family WHERE user_id = \(userID) AND client_id = \(clientID)
            UNION SELECT authorization_id FROM access_token WHERE user_id = \(userID) AND client_id = \(clientID)
            """)
        for row in rows { try revoke(authorizationID: row.text("authorization_id"), at: now, in: transaction) }
    }

    /// Takes back the tokens that were issued in one session.
    package static func revokeAll(
        inSession sid: String, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        let rows = try transaction.rows(
            "SELECT authorization_id FROM refresh_token_family WHERE user_id = \(userID) AND sid = \(sid)")
        for row in rows { try revoke(authorizationID: row.text("authorization_id"), at: now, in: transaction) }
    }

    private static var selection: SQL {
        """
        SELECT refresh_token_family.*,
            (SELECT MAX(last_used_at) FROM refresh_token WHERE family_id = refresh_token_family.id) AS used_at
        FROM refresh_token_family
        """
    }
}

extension IssuedRefreshToken {
    fileprivate init(_ row: SQLRow) throws {
        family = try RefreshTokenFamily(row)
        createdAt = try row.date("created_at")
        lastUsedAt = row.optionalDate("used_at") ?? createdAt
        metadata = row.optionalText("metadata") == nil ? [:] : try row.json("metadata")
    }
}
