import Foundation
import OAuth

/// The claims that scripts have given ID tokens, for the userinfo endpoint, which tells them too: one row for each
/// authorization that has some.
package enum UserInfoClaimsStore {
    /// Keeps the claims of an authorization's newest tokens, in place of those of its older ones; none leaves none.
    /// - Parameter expiresAt: when the last access token that tells them ends.
    package static func save(
        _ claims: JSONObject, of authorizationID: String, expiresAt: Date, in transaction: any SQLTransaction
    ) throws {
        guard !claims.isEmpty else {
            try transaction.execute("DELETE FROM userinfo_claims WHERE authorization_id = \(authorizationID)")
            return
        }
        try transaction.execute(
            """
            INSERT INTO userinfo_claims (authorization_id, claims, expires_at)
            VALUES (\(authorizationID), \(JSON.text(claims)), \(expiresAt))
            ON CONFLICT (authorization_id) DO UPDATE SET claims = excluded.claims, expires_at = excluded.expires_at
            """)
    }

    /// The claims of an authorization's tokens.
    package static func find(
        _ authorizationID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> JSONObject {
        let row = try transaction.row(
            "SELECT claims FROM userinfo_claims WHERE authorization_id = \(authorizationID) AND expires_at > \(now)")
        return try row?.json("claims") ?? [:]
    }

    /// Removes rows that no token reads any more.
    static func expired(by now: Date, limit: Int) -> SQL {
        """
        DELETE FROM userinfo_claims WHERE authorization_id IN (
            SELECT authorization_id FROM userinfo_claims WHERE expires_at <= \(now) LIMIT \(limit))
            AND expires_at <= \(now)
        """
    }
}
