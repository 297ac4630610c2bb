import Foundation
import OAuth

/// What a mail's link lets whoever holds it do, once.
package struct Ticket: Sendable, Hashable {
    package let kind: Kind
    package let userID: String
    /// The address that the mail went to: a user who has another one by now has outlived the ticket.
    package let email: String?
    /// What only the kind knows.
    package let settings: JSONObject
    package let createdAt: Date
    package let expiresAt: Date
    package let usedAt: Date?

    /// What it lets its holder do.
    package enum Kind: String, Sendable, CaseIterable {
        case emailVerification = "email_verification"
        case passwordChange = "password_change"
        /// Takes away the block that failed logins have brought.
        case unblock
    }

    package init(
        _ kind: Kind, userID: String, email: String?, settings: JSONObject = [:], createdAt: Date, expiresAt: Date
    ) {
        (self.kind, self.userID, self.email, self.settings) = (kind, userID, email, settings)
        (self.createdAt, self.expiresAt, usedAt) = (createdAt, expiresAt, nil)
    }
}

/// The tickets, under the digests of what their links carry.
package struct TicketStore: Sendable {
    let database: any SQLDatabase

    /// Makes a ticket.
    package static func insert(_ ticket: Ticket, digest: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO ticket (digest, kind, user_id, email, settings, created_at, expires_at)
            VALUES (\(digest), \(ticket.kind.rawValue), \(ticket.userID), \(ticket.email),
                \(JSON.text(ticket.settings)), \(ticket.createdAt), \(ticket.expiresAt))
            """)
    }

    /// The ticket as it is, used or expired too; nil where there is none.
    package func find(_ digest: String, _ kind: Ticket.Kind) async throws -> Ticket? {
        try await database.readOnce { try Self.find(digest, kind, in: $0) }
    }

    /// The ticket as it is, used or expired too; nil where there is none.
    package static func find(
        _ digest: String, _ kind: Ticket.Kind, in transaction: any SQLTransaction
    ) throws -> Ticket? {
        try transaction.row("SELECT * FROM ticket WHERE digest = \(digest) AND kind = \(kind.rawValue)")
            .map(Ticket.init)
    }

    /// Uses a ticket: of requests that race one gets it.
    /// - Returns: nil where there is none, or it is used or expired.
    package static func use(
        _ digest: String, _ kind: Ticket.Kind, at now: Date, in transaction: any SQLTransaction
    ) throws -> Ticket? {
        try transaction.row(
            """
            UPDATE ticket SET used_at = \(now)
            WHERE digest = \(digest) AND kind = \(kind.rawValue) AND used_at IS NULL AND expires_at > \(now)
            RETURNING *
            """
        ).map(Ticket.init)
    }

    /// Makes a ticket good again that was used for nothing, unless there is a newer one of the user's.
    package static func release(
        _ digest: String, _ kind: Ticket.Kind, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE ticket SET used_at = NULL
            WHERE digest = \(digest) AND kind = \(kind.rawValue) AND NOT EXISTS (
                SELECT 1 FROM ticket AS later WHERE later.user_id = ticket.user_id AND later.kind = ticket.kind
                    AND later.created_at > ticket.created_at)
            """)
    }

    /// Makes the user's tickets of a kind as good as used.
    package static func withdraw(
        _ kind: Ticket.Kind, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE ticket SET used_at = \(now)
            WHERE user_id = \(userID) AND kind = \(kind.rawValue) AND used_at IS NULL
            """)
    }

    /// Makes those of the user's tickets as good as used that anybody could have asked for, and leaves what the tenant has made.
    /// Those that do not say it are from former versions, and count as anybody's.
    package static func withdrawAskedFor(
        _ kind: Ticket.Kind, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE ticket SET used_at = \(now)
            WHERE user_id = \(userID) AND kind = \(kind.rawValue) AND used_at IS NULL
                AND COALESCE(\(.jsonMember("settings", "asked_by")), 'anybody') <> 'tenant'
            """)
    }

    /// Tickets that ended a day ago; until then their holders are told why they do not work.
    static func expired(by day: Date, limit: Int) -> SQL {
        """
        DELETE FROM ticket WHERE digest IN (
            SELECT digest FROM ticket WHERE expires_at <= \(day) LIMIT \(limit)) AND expires_at <= \(day)
        """
    }
}

extension Ticket {
    fileprivate init(_ row: SQLRow) throws {
        guard let kind = Kind(rawValue: try row.text("kind")) else { throw SQLError.unexpectedValue(column: "kind") }
        self.kind = kind
        userID = try row.text("user_id")
        email = row.optionalText("email")
        settings = try row.json("settings")
        createdAt = try row.date("created_at")
        expiresAt = try row.date("expires_at")
        usedAt = row.optionalDate("used_at")
    }
}
