import Foundation
import OAuth

/// A browser's single sign-on session. The cookie holds a secret; the row only its digest.
package struct Session: Sendable, Hashable {
    package let digest: String
    /// The `sid` of ID tokens: names the session to applications without opening it.
    package let sid: String
    package let userID: String
    /// The name of the connection that the user signed in through.
    package let connection: String
    /// When the user last proved who they are: the `auth_time` of ID tokens.
    package let authenticatedAt: Date
    /// When the user last passed a second factor in this session; nil where there was none.
    package private(set) var multiFactorAt: Date?
    package var lastUsedAt: Date
    package var idleExpiresAt: Date
    package let expiresAt: Date
    /// What applications have noted with it, for themselves.
    package private(set) var metadata: JSONObject = [:]
    /// From where it began, and from where it was used last.
    package var firstDevice: SeenDevice?
    package var lastDevice: SeenDevice?
    /// How a script wants the cookie to be kept; nil for as the tenant has it.
    package private(set) var cookieMode: CookieMode?
    /// What actions have recorded, the first one first.
    package private(set) var recordedMethods: [RecordedMethod] = []

    package init(
        digest: String, sid: String, userID: String, connection: String, authenticatedAt: Date, idleExpiresAt: Date,
        expiresAt: Date
    ) {
        (self.digest, self.sid, self.userID, self.connection) = (digest, sid, userID, connection)
        (self.authenticatedAt, lastUsedAt) = (authenticatedAt.storable, authenticatedAt.storable)
        (self.idleExpiresAt, self.expiresAt) = (idleExpiresAt.storable, expiresAt.storable)
    }

    /// The session of the same browser once its account belongs to another user: known by the same cookie, with another `sid`, and
    /// without a second factor, which would be the account's.
    package init(_ former: Session, sid: String, of userID: String) {
        self.init(
            digest: former.digest, sid: sid, userID: userID, connection: former.connection,
            authenticatedAt: former.authenticatedAt, idleExpiresAt: former.idleExpiresAt, expiresAt: former.expiresAt)
        lastUsedAt = former.lastUsedAt
        (firstDevice, lastDevice) = (former.firstDevice, former.lastDevice)
    }
}

/// The sessions of the tenant's browsers.
package struct SessionStore: Sendable {
    let database: any SQLDatabase

    /// The session where neither it has ended nor its user is blocked.
    package func find(digest: String, at now: Date) async throws -> Session? {
        try await database.readOnce { transaction in
            try transaction.row(
                """
                SELECT session.* FROM session JOIN user_account ON user_account.user_id = session.user_id
                WHERE digest = \(digest) AND idle_expires_at > \(now) AND expires_at > \(now) AND NOT blocked
                """
            ).map(Session.init)
        }
    }

    /// Starts a session.
    package static func insert(_ session: Session, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO session (digest, sid, user_id, session_connection, authenticated_at, last_used_at,
                idle_expires_at, expires_at, first_device, last_device)
            VALUES (\(session.digest), \(session.sid), \(session.userID), \(session.connection),
                \(session.authenticatedAt), \(session.lastUsedAt), \(session.idleExpiresAt), \(session.expiresAt),
                \(session.firstDevice.map { try JSON.text($0) }), \(session.lastDevice.map { try JSON.text($0) }))
            """)
    }

    /// Notes a use, which moves the idle end.
    /// - Parameter device: from where; nil where nothing is known of that.
    package static func touch(
        digest: String, at now: Date, idleExpiresAt: Date, from device: SeenDevice? = nil,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE session SET last_used_at = \(now), idle_expires_at = \(idleExpiresAt),
                last_device = COALESCE(\(device.map { try JSON.text($0) }), last_device)
            WHERE digest = \(digest)
            """)
    }

    /// Keeps a session from ending until the transaction does.
    /// - Returns: whether there still is one, and it has not become another user's.
    package static func hold(_ session: Session, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.lock("SELECT digest FROM session WHERE digest = \(session.digest)")
        return try transaction.row(
            "SELECT digest FROM session WHERE digest = \(session.digest) AND sid = \(session.sid)") != nil
    }

    /// Removes a session. Of several that do so at once one gets it.
    /// - Returns: the session, or nil where there was none.
    package static func delete(digest: String, in transaction: any SQLTransaction) throws -> Session? {
        try transaction.row("DELETE FROM session WHERE digest = \(digest) RETURNING *").map(Session.init)
    }

    /// The session with this `sid`, or nil where there is none.
    package static func find(sid: String, in transaction: any SQLTransaction) throws -> Session? {
        try transaction.row("SELECT * FROM session WHERE sid = \(sid)").map(Session.init)
    }

    /// The sessions of a user that have not ended, in the order of their `sid`s from the one after `after` on.
    package static func list(
        of userID: String, at now: Date, after: String = "", limit: Int, in transaction: any SQLTransaction
    ) throws -> [Session] {
        try transaction.rows(
            """
            SELECT * FROM session WHERE user_id = \(userID) AND sid > \(after) AND expires_at > \(now)
                AND idle_expires_at > \(now)
            ORDER BY sid LIMIT \(limit)
            """
        ).map(Session.init)
    }

    /// Notes that the user has passed a second factor.
    package static func setMultiFactor(at now: Date, digest: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE session SET multi_factor_at = \(now) WHERE digest = \(digest)")
    }

    /// Replaces what applications have noted with a session.
    package static func setMetadata(_ metadata: JSONObject, of sid: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE session SET metadata = \(JSON.text(metadata)) WHERE sid = \(sid)")
    }

    /// Has the cookie of a session kept in another way.
    package static func setCookieMode(_ mode: CookieMode, of sid: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE session SET cookie_mode = \(mode.rawValue) WHERE sid = \(sid)")
    }

    /// Replaces what actions have recorded with a session.
    package static func setRecordedMethods(
        _ methods: [RecordedMethod], of sid: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE session SET recorded_methods = \(JSON.text(methods)) WHERE sid = \(sid)")
    }

    /// Lets a session end at other times.
    package static func setExpiry(
        of sid: String, expiresAt: Date, idleExpiresAt: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "UPDATE session SET expires_at = \(expiresAt), idle_expires_at = \(idleExpiresAt) WHERE sid = \(sid)")
    }

    /// Removes every session of a user.
    /// - Returns: those that were.
    package static func deleteAll(of userID: String, in transaction: any SQLTransaction) throws -> [Session] {
        try transaction.rows("DELETE FROM session WHERE user_id = \(userID) RETURNING *").map(Session.init)
    }

    /// Removes sessions whose time is up.
    /// - Parameter most: how many at a time.
    package static func deleteExpired(
        at now: Date, most: Int, in transaction: any SQLTransaction
    ) throws -> [Session] {
        // The condition stands twice, for one that is used in the very moment, after it was found.
        try transaction.rows(
            """
            DELETE FROM session WHERE digest IN (
                SELECT digest FROM session WHERE expires_at <= \(now) OR idle_expires_at <= \(now) LIMIT \(most))
                AND (expires_at <= \(now) OR idle_expires_at <= \(now))
            RETURNING *
            """
        ).map(Session.init)
    }
}

extension Session {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        sid = try row.text("sid")
        userID = try row.text("user_id")
        connection = try row.text("session_connection")
        authenticatedAt = try row.date("authenticated_at")
        multiFactorAt = row.optionalDate("multi_factor_at")
        lastUsedAt = try row.date("last_used_at")
        idleExpiresAt = try row.date("idle_expires_at")
        expiresAt = try row.date("expires_at")
        if row.optionalText("metadata") != nil { metadata = try row.json("metadata") }
        (firstDevice, lastDevice) = (try row.device("first_device"), try row.device("last_device"))
        cookieMode = row.optionalText("cookie_mode").flatMap(CookieMode.init)
        if row.optionalText("recorded_methods") != nil { recordedMethods = try row.json("recorded_methods") }
    }
}
