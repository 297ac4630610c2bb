import Foundation

/// A mail on its way.
package struct QueuedMail: Sendable, Hashable {
    /// Fixed before anything is sent, and the mail's `Message-ID`: a server that gets it twice can tell.
    package let id: String
    package let kind: MessageKind
    /// The address.
    package let recipient: String
    package let userID: String?
    /// Sealed by the server, for it holds links that give power; nil once the mail is sent or given up.
    package let sealedContent: String?
    /// Where it is; see ``State``.
    package var state = State.waiting
    /// How often it was tried.
    package var attempts = 0
    /// When it was put down.
    package let createdAt: Date
    /// After that it is of no use.
    package let expiresAt: Date

    /// Where a mail is.
    package enum State: String, Sendable, CaseIterable {
        case waiting
        /// The development inbox has it, and nothing sends it.
        case kept
        case sent
        case failed
        /// Nobody gets it: it was put down so that nobody learns that there is nobody who may.
        case withheld
    }

    package init(
        id: String, kind: MessageKind, recipient: String, userID: String?, sealedContent: String?,
        state: State, createdAt: Date, expiresAt: Date
    ) {
        (self.id, self.kind, self.recipient, self.userID) = (id, kind, recipient, userID)
        (self.sealedContent, self.state, self.createdAt, self.expiresAt) = (sealedContent, state, createdAt, expiresAt)
    }

    /// The mail without what it says, for nobody.
    package var withheld: QueuedMail {
        QueuedMail(
            id: id, kind: kind, recipient: recipient, userID: userID, sealedContent: nil, state: .withheld,
            createdAt: createdAt, expiresAt: expiresAt)
    }
}

/// The mails that wait, and for a while those that do not any more.
package struct MailStore: Sendable {
    let database: any SQLDatabase

    /// Seconds for which a mail's fate is kept after it is sent or given up.
    package static let retention: TimeInterval = 7 * 86_400

    /// Puts a mail down: part of the transaction that is its reason, so that neither happens without the other.
    package static func enqueue(_ mail: QueuedMail, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO mail (id, kind, recipient, user_id, state, sealed_content, attempts, created_at, due_at,
                expires_at)
            VALUES (\(mail.id), \(mail.kind.rawValue), \(mail.recipient), \(mail.userID), \(mail.state.rawValue),
                \(mail.sealedContent), 0, \(mail.createdAt), \(mail.createdAt), \(mail.expiresAt))
            ON CONFLICT (id) DO NOTHING
            """)
    }

    /// Whether a mail is due; nothing is locked for the answer.
    package func isAnyDue(at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row("SELECT id FROM mail WHERE state = 'waiting' AND due_at <= \(now) LIMIT 1") != nil
        }
    }

    /// Takes mails that are due, for as long as a lease: nobody else gets them meanwhile, and who dies over them leaves
    /// them to others.
    package func claim(at now: Date, lease: TimeInterval, most: Int) async throws -> [QueuedMail] {
        try await database.write { transaction in
            // The condition stands twice: what another node has claimed after it was found here is not due any more.
            try transaction.rows(
                """
                UPDATE mail SET attempts = attempts + 1, due_at = \(now.addingTimeInterval(lease))
                WHERE id IN (
                    SELECT id FROM mail WHERE state = 'waiting' AND due_at <= \(now) ORDER BY due_at, id LIMIT \(most))
                    AND state = 'waiting' AND due_at <= \(now)
                RETURNING *
                """
            ).map(QueuedMail.init)
        }
    }

    /// Ends a mail that was claimed, and forgets what it said. One whose lease has passed, and that somebody else tries, is
    /// left to them, unless it is sent: then it is for everybody.
    /// - Returns: whether this call has ended it.
    @discardableResult
    package func finish(
        _ mail: QueuedMail, as state: QueuedMail.State, problem: String? = nil, at now: Date
    ) async throws -> Bool {
        try await database.write { transaction in
            try transaction.changes(
                """
                UPDATE mail SET state = \(state.rawValue), sealed_content = NULL, last_problem = \(problem),
                    expires_at = \(now.addingTimeInterval(Self.retention))
                WHERE id = \(mail.id) AND state = 'waiting'
                    AND (attempts = \(mail.attempts) OR \(state.rawValue) = 'sent')
                """) == 1
        }
    }

    /// Puts a mail that was claimed, and could not be sent, off until `due`.
    package func putOff(_ mail: QueuedMail, until due: Date, problem: String) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE mail SET due_at = \(due), last_problem = \(problem)
                WHERE id = \(mail.id) AND state = 'waiting' AND attempts = \(mail.attempts)
                """)
        }
    }

    /// The mails of the development inbox, the newest first.
    package func kept(most: Int) async throws -> [QueuedMail] {
        try await database.readOnce { transaction in
            try transaction.rows(
                "SELECT * FROM mail WHERE state = 'kept' ORDER BY created_at DESC, id DESC LIMIT \(most)"
            ).map(QueuedMail.init)
        }
    }

    /// A mail of the development inbox, or nil where there is none.
    package func kept(_ id: String) async throws -> QueuedMail? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT * FROM mail WHERE id = \(id) AND state = 'kept'").map(QueuedMail.init)
        }
    }

    /// Empties the development inbox.
    package func deleteKept() async throws {
        try await database.write { try $0.execute("DELETE FROM mail WHERE state = 'kept'") }
    }

    /// Mails whose time is up: those that are sent or given up, and what the inbox has kept.
    static func expired(by now: Date, limit: Int) -> SQL {
        """
        DELETE FROM mail WHERE id IN (
            SELECT id FROM mail WHERE expires_at <= \(now) AND state <> 'waiting' LIMIT \(limit))
            AND expires_at <= \(now) AND state <> 'waiting'
        """
    }
}

extension QueuedMail {
    fileprivate init(_ row: SQLRow) throws {
        guard let kind = MessageKind(rawValue: try row.text("kind")),
            let state = State(rawValue: try row.text("state"))
        else { throw SQLError.unexpectedValue(column: "kind") }
        (self.kind, self.state) = (kind, state)
        id = try row.text("id")
        recipient = try row.text("recipient")
        userID = row.optionalText("user_id")
        sealedContent = row.optionalText("sealed_content")
        attempts = try row.integer("attempts")
        createdAt = try row.date("created_at")
        expiresAt = try row.date("expires_at")
    }
}
