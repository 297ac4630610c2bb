import Foundation

/// A logout token that an application's back channel has not taken yet.
package struct LogoutDelivery: Sendable, Hashable {
    /// The `sid` that the application knows.
    package let sid: String
    package let clientID: String
    /// Where the token is posted.
    package let uri: String
    package let userID: String
    /// How often it was tried.
    package let attempts: Int

    package init(_ participant: SessionClient, uri: String) {
        (sid, clientID, userID) = (participant.sid, participant.clientID, participant.userID)
        (self.uri, attempts) = (uri, 0)
    }
}

/// The logout tokens that wait to be delivered.
package struct LogoutDeliveryStore: Sendable {
    let database: any SQLDatabase

    /// Puts a token down to be delivered at once: part of the transaction that ends the session, so that neither
    /// happens without the other.
    package static func insert(_ delivery: LogoutDelivery, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO logout_delivery (sid, client_id, uri, user_id, attempts, due_at)
            VALUES (\(delivery.sid), \(delivery.clientID), \(delivery.uri), \(delivery.userID), 0, \(now))
            ON CONFLICT (sid, client_id, uri) DO NOTHING
            """)
    }

    /// Whether a delivery is due; nothing is locked for the answer.
    package func isAnyDue(at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row("SELECT sid FROM logout_delivery WHERE due_at <= \(now) LIMIT 1") != nil
        }
    }

    /// Takes deliveries that are due, for as long as a lease: nobody else gets them meanwhile, and who dies over them
    /// leaves them to others.
    package func claim(at now: Date, lease: TimeInterval, most: Int) async throws -> [LogoutDelivery] {
        try await database.write { transaction in
            // The condition stands twice: what another node has claimed after it was found here is not due any more.
            try transaction.rows(
                """
                UPDATE logout_delivery SET attempts = attempts + 1, due_at = \(now.addingTimeInterval(lease))
                WHERE (sid, client_id, uri) IN (
                    SELECT sid, client_id, uri FROM logout_delivery WHERE due_at <= \(now)
                    ORDER BY due_at, sid, client_id, uri LIMIT \(most))
                    AND due_at <= \(now)
                RETURNING *
                """
            ).map(LogoutDelivery.init)
        }
    }

    /// Ends a delivery that was claimed. One whose lease has passed, and that somebody else tries, is left to them.
    package func finish(_ delivery: LogoutDelivery) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                DELETE FROM logout_delivery WHERE sid = \(delivery.sid) AND client_id = \(delivery.clientID)
                    AND uri = \(delivery.uri) AND attempts = \(delivery.attempts)
                """)
        }
    }

    /// Puts a delivery that was claimed, and failed, off until `due`.
    package func putOff(_ delivery: LogoutDelivery, until due: Date) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE logout_delivery SET due_at = \(due) WHERE sid = \(delivery.sid)
                    AND client_id = \(delivery.clientID) AND uri = \(delivery.uri) AND attempts = \(delivery.attempts)
                """)
        }
    }
}

extension LogoutDelivery {
    fileprivate init(_ row: SQLRow) throws {
        sid = try row.text("sid")
        clientID = try row.text("client_id")
        uri = try row.text("uri")
        userID = try row.text("user_id")
        attempts = try row.integer("attempts")
    }
}
