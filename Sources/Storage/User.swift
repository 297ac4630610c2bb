import Foundation
import OAuth

/// A person who signs in, with the names of `/api/v2/users`.
package struct User: Sendable, Hashable {
    /// The `sub` of tokens: `auth0|` and 24 hexadecimal digits for a user of a database connection.
    package var id: String
    /// The name of the connection that the user came from.
    package var connection: String
    /// In lower case.
    package var email: String?
    package var isEmailVerified = false
    package var username: String?
    /// The profile's claims by their names: `name`, `nickname`, `given_name`, `family_name`, `picture`, `phone_number` …
    package var profile: JSONObject = [:]
    package var userMetadata: JSONObject = [:]
    package var appMetadata: JSONObject = [:]
    package var isBlocked = false
    package var createdAt: Date
    package var updatedAt: Date
    package var lastLogin: Date?
    package var loginsCount = 0

    package init(id: String, connection: String, email: String?, createdAt: Date) {
        (self.id, self.connection, self.email) = (id, connection, email)
        (self.createdAt, updatedAt) = (createdAt, createdAt)
    }

    /// What pages call the user.
    package var displayName: String { profile["name"]?.string ?? email ?? username ?? id }
}

/// The users of the tenant and the hashes of their passwords.
package struct UserStore: Sendable {
    let database: any SQLDatabase

    /// The user with this id, or nil where there is none. Who is another user's identity is no user.
    package func find(_ id: String) async throws -> User? {
        try await database.readOnce { try Self.find(id, in: $0) }
    }

    /// The user with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> User? {
        try transaction.row("SELECT * FROM user_account WHERE user_id = \(id) AND primary_user_id IS NULL")
            .map(User.init)
    }

    /// The user who signs in at a connection with this e-mail address (in lower case) or user name, and the password's hash.
    /// Where that is another user's identity it is the other user.
    package func find(connection: String, identifier: String) async throws -> (user: User, passwordHash: String?)? {
        try await database.readOnce { try Self.find(connection: connection, identifier: identifier, in: $0) }
    }

    /// As ``find(connection:identifier:)``, in a transaction.
    package static func find(
        connection: String, identifier: String, in transaction: any SQLTransaction
    ) throws -> (user: User, passwordHash: String?)? {
        try credentials(connection: connection, identifier: identifier, in: transaction)
            .map { ($0.user, $0.passwordHash) }
    }

    /// A user, and the password that one of the user's accounts signs in with.
    package struct Credentials: Sendable {
        package let user: User
        package let passwordHash: String?
        /// When the password was chosen; a hash of a newer kind for the same password is no change.
        package let passwordTime: Date?
    }

    /// As ``find(connection:identifier:)``, with the password's time.
    package static func credentials(
        connection: String, identifier: String, in transaction: any SQLTransaction
    ) throws -> Credentials? {
        let row = try transaction.row(
            """
            SELECT user_account.*, user_password.hash, user_password.changed_at FROM user_account AS identity
            JOIN user_account ON user_account.user_id = COALESCE(identity.primary_user_id, identity.user_id)
            LEFT JOIN user_password ON user_password.user_id = identity.user_id
            WHERE identity.connection = \(connection)
                AND (identity.email = \(identifier) OR identity.username = \(identifier))
            """)
        return try row.map {
            Credentials(
                user: try User($0), passwordHash: $0.optionalText("hash"), passwordTime: $0.optionalDate("changed_at"))
        }
    }

    /// How many accounts of a connection have an address: one at most in a database, any number at a provider.
    package static func count(connection: String, email: String, in transaction: any SQLTransaction) throws -> Int {
        try transaction.rows(
            "SELECT user_id FROM user_account WHERE connection = \(connection) AND email = \(email)"
        ).count
    }

    /// Waits until nobody else changes the user, and keeps others out until the transaction ends.
    package static func lock(connection: String, email: String, in transaction: any SQLTransaction) throws {
        try transaction.lock(
            "SELECT user_id FROM user_account WHERE connection = \(connection) AND email = \(email)")
    }

    /// Users in the order of their ids, from the one after `after` on.
    package func list(after: String = "", limit: Int) async throws -> [User] {
        try await database.readOnce { try Self.list(after: after, limit: limit, in: $0) }
    }

    /// As ``list(after:limit:)``, in a transaction.
    /// - Parameter connection: whose users are wanted; nil for all.
    package static func list(
        after: String, connection: String? = nil, limit: Int, in transaction: any SQLTransaction
    ) throws -> [User] {
        let wanted: SQL = connection.map { "connection = \($0)" } ?? "1 = 1"
        return try transaction.rows(
            """
            SELECT * FROM user_account WHERE user_id > \(after) AND primary_user_id IS NULL AND \(part: wanted)
            ORDER BY user_id LIMIT \(limit)
            """
        ).map(User.init)
    }

    /// As ``list(after:connection:limit:in:)``, of users that take up no more than so many bytes together: each may have a
    /// megabyte of metadata. There is one at least where there are any.
    package static func list(
        after: String, connection: String? = nil, limit: Int, mostBytes: Int, in transaction: any SQLTransaction
    ) throws -> [User] {
        let wanted: SQL = connection.map { "connection = \($0)" } ?? "1 = 1"
        let sizes = try transaction.rows(
            """
            SELECT LENGTH(profile) + LENGTH(user_metadata) + LENGTH(app_metadata) AS size FROM user_account
            WHERE user_id > \(after) AND primary_user_id IS NULL AND \(part: wanted) ORDER BY user_id LIMIT \(limit)
            """
        ).map { try $0.integer("size") }
        var (count, sum) = (0, 0)
        for size in sizes {
            sum += size
            guard count == 0 || sum <= mostBytes else { break }
            count += 1
        }
        return try list(after: after, connection: connection, limit: count, in: transaction)
    }

    /// - Throws: ``SQLError/uniqueViolation(_:)`` where the connection has a user with this e-mail address or user name.
    package static func insert(_ user: User, passwordHash: String?, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO user_account (user_id, connection, email, email_verified, username, profile, user_metadata,
                app_metadata, blocked, created_at, updated_at, last_login, logins_count)
            VALUES (\(user.id), \(user.connection), \(user.email), \(user.isEmailVerified), \(user.username),
                \(JSON.text(user.profile)), \(JSON.text(user.userMetadata)), \(JSON.text(user.appMetadata)),
                \(user.isBlocked), \(user.createdAt), \(user.updatedAt), \(user.lastLogin), \(user.loginsCount))
            """)
        try UserTerm.insert(user, in: transaction)
        if let passwordHash {
            try transaction.execute(
                """
                INSERT INTO user_password (user_id, hash, changed_at)
                VALUES (\(user.id), \(passwordHash), \(user.createdAt))
                """)
        }
    }

    /// Replaces what an import may replace: profile, metadata, verification and block, not the address, and not the id.
    package static func update(
        _ user: User, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE user_account SET email_verified = \(user.isEmailVerified), profile = \(JSON.text(user.profile)),
                user_metadata = \(JSON.text(user.userMetadata)), app_metadata = \(JSON.text(user.appMetadata)),
                blocked = \(user.isBlocked), updated_at = \(now)
            WHERE user_id = \(userID)
            """)
        try UserTerm.replace(user, of: userID, in: transaction)
    }

    /// Replaces everything that may change of a user.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where the connection has another one with the e-mail address or user name.
    package static func replace(_ user: User, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE user_account SET email = \(user.email), email_verified = \(user.isEmailVerified),
                username = \(user.username), profile = \(JSON.text(user.profile)),
                user_metadata = \(JSON.text(user.userMetadata)), app_metadata = \(JSON.text(user.appMetadata)),
                blocked = \(user.isBlocked), updated_at = \(user.updatedAt)
            WHERE user_id = \(user.id)
            """)
        try UserTerm.replace(user, of: user.id, in: transaction)
    }

    /// Waits until nobody else changes the user, and keeps others out until the transaction ends.
    package static func lock(_ userID: String, in transaction: any SQLTransaction) throws {
        try transaction.lock("SELECT user_id FROM user_account WHERE user_id = \(userID)")
    }

    /// Sets a password's hash.
    package static func setPasswordHash(
        _ hash: String, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO user_password (user_id, hash, changed_at) VALUES (\(userID), \(hash), \(now))
            ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at
            """)
    }

    /// Replaces a password's hash with a stronger one of the same password, unless it has changed meanwhile.
    package static func upgradePasswordHash(
        of userID: String, from old: String, to new: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE user_password SET hash = \(new) WHERE user_id = \(userID) AND hash = \(old)")
    }

    /// Notes a login.
    package static func recordLogin(of userID: String, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE user_account SET last_login = \(now), logins_count = logins_count + 1 WHERE user_id = \(userID)
            """)
    }

    /// Blocks or unblocks a user; a blocked one cannot sign in, refresh or redeem.
    package static func setBlocked(_ isBlocked: Bool, _ userID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE user_account SET blocked = \(isBlocked) WHERE user_id = \(userID)")
    }

    /// Removes every user of a connection with sessions, consents and tokens.
    package static func deleteAll(connection: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            DELETE FROM user_account WHERE primary_user_id IN (
                SELECT user_id FROM user_account WHERE connection = \(connection))
            """)
        try transaction.execute("DELETE FROM user_account WHERE connection = \(connection)")
    }

    /// Removes a user with sessions, consents and tokens, and with the user's other identities.
    package static func delete(_ userID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM user_account WHERE primary_user_id = \(userID)")
        try transaction.execute("DELETE FROM user_account WHERE user_id = \(userID)")
    }
}

extension User {
    init(_ row: SQLRow) throws {
        id = try row.text("user_id")
        connection = try row.text("connection")
        email = row.optionalText("email")
        isEmailVerified = try row.bool("email_verified")
        username = row.optionalText("username")
        profile = try row.json("profile")
        userMetadata = try row.json("user_metadata")
        appMetadata = try row.json("app_metadata")
        isBlocked = try row.bool("blocked")
        createdAt = try row.date("created_at")
        updatedAt = try row.date("updated_at")
        lastLogin = row.optionalDate("last_login")
        loginsCount = try row.integer("logins_count")
    }
}
