import Foundation

/// Passwords that another database has. Nothing is kept of them here but when they were last changed through this server.
extension UserStore {
    /// The account of a connection with this e-mail address (in lower case) or user name, and when its password was last
    /// changed through this server.
    package static func externalPassword(
        connection: String, identifier: String, in transaction: any SQLTransaction
    ) throws -> (id: String, time: Date?)? {
        try transaction.row(
            """
            SELECT user_id, external_password_at FROM user_account
            WHERE connection = \(connection) AND (email = \(identifier) OR username = \(identifier))
            """
        ).map { (try $0.text("user_id"), $0.optionalDate("external_password_at")) }
    }

    /// When the password of an account was last changed through this server; nil for never.
    package static func externalPasswordTime(
        of userID: String, in transaction: any SQLTransaction
    ) throws -> Date? {
        try transaction.row("SELECT external_password_at FROM user_account WHERE user_id = \(userID)")?
            .optionalDate("external_password_at")
    }

    /// When the password of an account was chosen; nil where there is none here.
    package static func passwordTime(of userID: String, in transaction: any SQLTransaction) throws -> Date? {
        try transaction.row("SELECT changed_at FROM user_password WHERE user_id = \(userID)")?.date("changed_at")
    }

    /// The hash of an account's password; nil where there is none here.
    package static func passwordHash(of userID: String, in transaction: any SQLTransaction) throws -> String? {
        try transaction.row("SELECT hash FROM user_password WHERE user_id = \(userID)")?.text("hash")
    }

    /// Notes that the password of an account has been changed where it is; what was kept of an older one goes.
    package static func noteExternalPassword(
        of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE user_account SET external_password_at = \(now) WHERE user_id = \(userID)")
        try transaction.execute("DELETE FROM user_password WHERE user_id = \(userID)")
    }
}
