import Foundation

/// The browsers whose user has asked not to be asked for the second factor for a while. Each is one user's; the database has
/// the digests of their cookies.
package enum RememberedBrowserStore {
    /// Remembers a browser for a user.
    package static func insert(
        digest: String, of userID: String, expiresAt: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO remembered_browser (digest, user_id, expires_at) VALUES (\(digest), \(userID), \(expiresAt))
            """)
    }

    /// Whether a browser is remembered for this user. Who loses a factor loses the remembered browsers with it.
    package static func isRemembered(
        digest: String, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.row(
            """
            SELECT digest FROM remembered_browser
            WHERE digest = \(digest) AND user_id = \(userID) AND expires_at > \(now)
            """) != nil
    }

    /// Forgets every browser of a user.
    package static func forget(of userID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM remembered_browser WHERE user_id = \(userID)")
    }

    static func expired(by now: Date, limit: Int) -> SQL {
        """
        DELETE FROM remembered_browser WHERE digest IN (
            SELECT digest FROM remembered_browser WHERE expires_at <= \(now) LIMIT \(limit))
            AND expires_at <= \(now)
        """
    }
}
