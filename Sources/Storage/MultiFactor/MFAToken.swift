import Foundation

/// Auth0's `mfa_token`: a login without a browser whose user has yet to pass a second factor. The token itself is known to the
/// client alone.
package struct MFAToken: Sendable, Equatable {
    package let digest: String
    package let clientID: String
    package let userID: String
    /// What goes on once the factor is passed, sealed: it may hold what only the server is to know.
    package let sealedLogin: String
    package let expiresAt: Date

    package init(digest: String, clientID: String, userID: String, sealedLogin: String, expiresAt: Date) {
        (self.digest, self.clientID, self.userID) = (digest, clientID, userID)
        (self.sealedLogin, self.expiresAt) = (sealedLogin, expiresAt.storable)
    }
}

/// The logins that wait, and for an hour those that nobody has finished.
package enum MFATokenStore {
    /// Keeps a login that waits.
    package static func insert(_ token: MFAToken, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO mfa_token (digest, client_id, user_id, sealed_login, expires_at)
            VALUES (\(token.digest), \(token.clientID), \(token.userID), \(token.sealedLogin), \(token.expiresAt))
            """)
    }

    /// Keeps a login that waits, in place of what waits under the same digest.
    package static func save(_ token: MFAToken, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO mfa_token (digest, client_id, user_id, sealed_login, expires_at)
            VALUES (\(token.digest), \(token.clientID), \(token.userID), \(token.sealedLogin), \(token.expiresAt))
            ON CONFLICT (digest) DO UPDATE SET sealed_login = excluded.sealed_login, expires_at = excluded.expires_at
            """)
    }

    /// The login that waits, or has expired not long ago; nil where there is none.
    package static func find(digest: String, in transaction: any SQLTransaction) throws -> MFAToken? {
        try transaction.row("SELECT * FROM mfa_token WHERE digest = \(digest)").map(MFAToken.init)
    }

    /// Waits until nobody else changes or uses the token, and keeps others out until the transaction ends.
    package static func lock(digest: String, in transaction: any SQLTransaction) throws {
        try transaction.lock("SELECT digest FROM mfa_token WHERE digest = \(digest)")
    }

    /// Writes down how far the login is.
    package static func update(
        _ sealedLogin: String, digest: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE mfa_token SET sealed_login = \(sealedLogin) WHERE digest = \(digest)")
    }

    /// Uses a token: of those who use it at the same time one succeeds.
    /// - Returns: whether it was there.
    package static func use(digest: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes("DELETE FROM mfa_token WHERE digest = \(digest)") == 1
    }

    /// Ends every login of a user that waits.
    package static func forget(of userID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM mfa_token WHERE user_id = \(userID)")
    }

    /// Those who come a little late are told that the time is up.
    static func expired(by now: Date, limit: Int) -> SQL {
        let end = now.addingTimeInterval(-3600)
        return """
            DELETE FROM mfa_token WHERE digest IN (
                SELECT digest FROM mfa_token WHERE expires_at <= \(end) LIMIT \(limit))
                AND expires_at <= \(end)
            """
    }
}

extension MFAToken {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        clientID = try row.text("client_id")
        userID = try row.text("user_id")
        sealedLogin = try row.text("sealed_login")
        expiresAt = try row.date("expires_at")
    }
}
