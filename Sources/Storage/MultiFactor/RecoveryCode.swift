import Foundation

/// The codes with which users get in who have lost their app: one each, good once. The database has their digests.
package enum RecoveryCodeStore {
    /// Gives a user a code in place of the one before.
    package static func save(
        digest: String, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO recovery_code (user_id, code_digest, created_at) VALUES (\(userID), \(digest), \(now))
            ON CONFLICT (user_id) DO UPDATE SET code_digest = excluded.code_digest, created_at = excluded.created_at
            """)
    }

    /// When a user got the present code; nil where there is none.
    package static func createdAt(of userID: String, in transaction: any SQLTransaction) throws -> Date? {
        try transaction.row("SELECT created_at FROM recovery_code WHERE user_id = \(userID)")?.date("created_at")
    }

    /// Uses a code, and gives the user another one. Of several that use it at the same time one succeeds.
    /// - Returns: whether it was the user's.
    package static func redeem(
        digest: String, of userID: String, for successor: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.changes(
            """
            UPDATE recovery_code SET code_digest = \(successor), created_at = \(now)
            WHERE user_id = \(userID) AND code_digest = \(digest)
            """) == 1
    }
}
