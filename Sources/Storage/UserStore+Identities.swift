import Foundation

extension UserStore {
    /// The user or the identity with this id, or nil where there is none.
    package static func account(_ id: String, in transaction: any SQLTransaction) throws -> User? {
        try transaction.row("SELECT * FROM user_account WHERE user_id = \(id)").map(User.init)
    }

    /// The user or the identity of a connection with this e-mail address (in lower case) or user name.
    package static func account(
        connection: String, identifier: String, in transaction: any SQLTransaction
    ) throws -> User? {
        try transaction.row(
            """
            SELECT * FROM user_account
            WHERE connection = \(connection) AND (email = \(identifier) OR username = \(identifier))
            """
        ).map(User.init)
    }

    /// Whether there is a user or an identity with this id.
    package static func exists(_ id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.row("SELECT user_id FROM user_account WHERE user_id = \(id)") != nil
    }

    /// The user whose identity this is; nil for a user, or for nobody.
    package static func primary(of id: String, in transaction: any SQLTransaction) throws -> String? {
        try transaction.row("SELECT primary_user_id FROM user_account WHERE user_id = \(id)")?
            .optionalText("primary_user_id")
    }

    /// The further identities of some users, those of each in the order in which they were made.
    package static func identities(
        of userIDs: [String], in transaction: any SQLTransaction
    ) throws -> [String: [User]] {
        guard !userIDs.isEmpty else { return [:] }
        var identities: [String: [User]] = [:]
        let rows = try transaction.rows(
            """
            SELECT * FROM user_account WHERE primary_user_id IN (\(values: userIDs.map(\.sqlValue)))
            ORDER BY created_at, user_id
            """)
        for row in rows { identities[try row.text("primary_user_id"), default: []].append(try User(row)) }
        return identities
    }

    /// Makes a user, with what identities that one has, an identity of another. A second factor of it becomes the other's who has
    /// none, so that nobody signs in with less than before; otherwise it rests until the identity is a user again.
    package static func link(_ id: String, to primaryID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE user_account SET primary_user_id = \(primaryID)
            WHERE user_id = \(id) OR primary_user_id = \(id)
            """)
        try AuthenticatorStore.move(from: id, to: primaryID, in: transaction)
    }

    /// Makes an identity a user again.
    /// - Returns: whether it was one of this user's.
    package static func unlink(
        _ id: String, from primaryID: String, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.changes(
            """
            UPDATE user_account SET primary_user_id = NULL
            WHERE user_id = \(id) AND primary_user_id = \(primaryID)
            """) == 1
    }
}
