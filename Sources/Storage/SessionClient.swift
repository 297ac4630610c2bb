import Foundation

/// An application that signed a user in by a session and wants to hear when it ends.
package struct SessionClient: Sendable, Hashable {
    /// The `sid` that the application knows from its ID token.
    package let sid: String
    package let clientID: String
    /// The `sid` of the session as it is now: a later login of the same user in the same browser gave it a new one.
    package var sessionSID: String
    package let userID: String
    /// When the session ends whatever happens.
    package let expiresAt: Date

    package init(_ session: Session, clientID: String) {
        (sid, sessionSID, self.clientID) = (session.sid, session.sid, clientID)
        (userID, expiresAt) = (session.userID, session.expiresAt)
    }
}

/// Which applications took part in the sessions that have not ended, where they have registered to be told of the end.
package enum SessionClientStore {
    /// Notes that an application takes part in a session; again is as good as once.
    package static func insert(_ row: SessionClient, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO session_client (sid, client_id, session_sid, user_id, expires_at)
            VALUES (\(row.sid), \(row.clientID), \(row.sessionSID), \(row.userID), \(row.expiresAt))
            ON CONFLICT (sid, client_id) DO NOTHING
            """)
    }

    /// The applications of a session take part in the one that replaces it, under the `sid` that they know.
    package static func move(from old: Session, to new: Session, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE session_client SET session_sid = \(new.sid), expires_at = \(new.expiresAt)
            WHERE session_sid = \(old.sid)
            """)
    }

    /// Takes out the rows of sessions that have ended; whoever gets a row tells its application, and nobody else does.
    package static func take(
        sessions sids: [String], in transaction: any SQLTransaction
    ) throws -> [SessionClient] {
        guard !sids.isEmpty else { return [] }
        return try transaction.rows(
            "DELETE FROM session_client WHERE session_sid IN (\(values: sids.map(\.sqlValue))) RETURNING *"
        ).map(SessionClient.init).sorted { ($0.clientID, $0.sid) < ($1.clientID, $1.sid) }
    }

    /// Takes out rows whose session has ended without anybody's noticing, as with its user.
    /// - Parameter most: how many at a time.
    package static func takeExpired(
        at now: Date, most: Int, in transaction: any SQLTransaction
    ) throws -> [SessionClient] {
        try transaction.rows(
            """
            DELETE FROM session_client WHERE (sid, client_id) IN (
                SELECT sid, client_id FROM session_client WHERE expires_at <= \(now) LIMIT \(most))
                AND expires_at <= \(now)
            RETURNING *
            """
        ).map(SessionClient.init)
    }
}

extension SessionClient {
    fileprivate init(_ row: SQLRow) throws {
        sid = try row.text("sid")
        clientID = try row.text("client_id")
        sessionSID = try row.text("session_sid")
        userID = try row.text("user_id")
        expiresAt = try row.date("expires_at")
    }
}

extension SessionClientStore {
    /// The applications that take part in the session with this `sid`, in the order of their ids.
    package static func clientIDs(of sid: String, in transaction: any SQLTransaction) throws -> [String] {
        try transaction.rows("SELECT client_id FROM session_client WHERE session_sid = \(sid) ORDER BY client_id")
            .map { try $0.text("client_id") }
    }
}
