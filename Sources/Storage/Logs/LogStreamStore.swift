import Foundation
import OAuth

/// A stream with what its delivery has come to.
package struct LogStreamState: Sendable, Hashable {
    package let stream: LogStream
    /// The ``LogStream/Secrets``, sealed; nil where it has none.
    package let sealedSecrets: String?
    /// The id of the last event that the receiver has taken.
    package let cursor: String
    /// Tries in a row that have failed.
    package let failures: Int
    /// Until when the try that has claimed the stream may take.
    fileprivate let dueAt: Date
}

/// The tenant's log streams, and how far each has come.
package struct LogStreamStore: Sendable {
    let database: any SQLDatabase

    /// Every stream, in the order of their names.
    package static func list(in transaction: any SQLTransaction) throws -> [LogStreamState] {
        try transaction.rows("SELECT * FROM log_stream ORDER BY name, id").map(LogStreamState.init)
    }

    /// The stream with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> LogStreamState? {
        try transaction.row("SELECT * FROM log_stream WHERE id = \(id)").map(LogStreamState.init)
    }

    /// Inserts a stream, which begins with what happens next or where it says; or changes one, which goes on where it was.
    /// A stream that becomes active again is tried at once.
    /// - Parameter sealedSecrets: nil leaves those that it has.
    package static func save(
        _ stream: LogStream, sealedSecrets: String?, at now: Date, in transaction: any SQLTransaction
    ) throws {
        let newest = try transaction.row("SELECT log_id FROM log_event ORDER BY log_id DESC LIMIT 1")?.text("log_id")
        let start = stream.startsFrom.map(LogEventID.first(at:)) ?? newest ?? ""
        try transaction.execute(
            """
            INSERT INTO log_stream (id, name, document, sealed_secrets, status, last_log_id, failures, due_at)
            VALUES (\(stream.id), \(stream.name), \(JSON.text(stream.document)), \(sealedSecrets),
                \(stream.status.rawValue), \(start), 0, \(now))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, document = excluded.document,
                sealed_secrets = COALESCE(excluded.sealed_secrets, log_stream.sealed_secrets), failures = 0,
                status = excluded.status, due_at = excluded.due_at
            """)
    }

    /// Removes the stream with this id, where there is one.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM log_stream WHERE id = \(id)")
    }

    /// Whether a stream has something to send now; nothing is locked for the answer.
    package func isAnyDue(at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row(
                """
                SELECT id FROM log_stream WHERE status = 'active' AND due_at <= \(now)
                    AND EXISTS (SELECT log_id FROM log_event WHERE log_id > last_log_id) LIMIT 1
                """) != nil
        }
    }

    /// Takes a stream that has something to send, for as long as a lease: no other node sends for it meanwhile, and who dies
    /// over it leaves it to others.
    package func claim(at now: Date, lease: TimeInterval) async throws -> LogStreamState? {
        try await database.write { transaction in
            try transaction.row(
                """
                UPDATE log_stream SET due_at = \(now.addingTimeInterval(lease)) WHERE id IN (
                    SELECT id FROM log_stream WHERE status = 'active' AND due_at <= \(now)
                        AND EXISTS (SELECT log_id FROM log_event WHERE log_id > last_log_id)
                    ORDER BY due_at, id LIMIT 1)
                    AND status = 'active' AND due_at <= \(now)
                RETURNING *
                """
            ).map(LogStreamState.init)
        }
    }

    /// Ends a try that the receiver has taken: the stream goes on after `cursor`, at once.
    package func advance(_ state: LogStreamState, to cursor: String, at now: Date) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE log_stream SET last_log_id = \(cursor), failures = 0, due_at = \(now)
                WHERE id = \(state.stream.id) AND due_at = \(state.dueAt)
                """)
        }
    }

    /// Ends a try that has failed: the same events are tried again at `due`, or never where the stream is suspended.
    package func putOff(_ state: LogStreamState, until due: Date, isSuspended: Bool) async throws {
        let status = isSuspended ? LogStream.Status.suspended : .active
        try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE log_stream SET failures = failures + 1, due_at = \(due), status = \(status.rawValue)
                WHERE id = \(state.stream.id) AND due_at = \(state.dueAt)
                """)
        }
    }
}

extension LogStreamState {
    fileprivate init(_ row: SQLRow) throws {
        var members: JSONObject = try row.json("document")
        members["status"] = .string(try row.text("status"))
        stream = try LogStream(document: Document(members, path: "log stream"), standardID: row.text("id"))
        sealedSecrets = row.optionalText("sealed_secrets")
        cursor = try row.text("last_log_id")
        failures = try row.integer("failures")
        dueAt = try row.date("due_at")
    }
}
