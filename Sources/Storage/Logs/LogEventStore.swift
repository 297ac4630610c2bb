import Foundation
import OAuth

/// The tenant's log events.
package struct LogEventStore: Sendable {
    let database: any SQLDatabase

    /// Writes events down and gives them their ids. Ids grow in the order in which events become visible, on whichever node
    /// they are written, so whoever has read up to an id misses nothing by going on after it.
    /// - Returns: the events with their ids.
    @discardableResult
    package static func append(
        _ events: [LogEvent], at now: Date, in transaction: any SQLTransaction
    ) throws -> [LogEvent] {
        // Held until the commit: a node that writes next sees the last id, and takes greater ones.
        try transaction.lock(.logEvents)
        let last = try transaction.row("SELECT log_id FROM log_event ORDER BY log_id DESC LIMIT 1")?.text("log_id")
        var ids = LogEventID.Sequence(at: now, after: last)
        return try events.map { event in
            var event = event
            event.id = ids.next()
            try insert(event, in: transaction)
            return event
        }
    }

    private static func insert(_ event: LogEvent, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO log_event (log_id, happened_at, type, description, client_id, client_name, connection,
                connection_id, ip, user_agent, user_id, user_name, hostname, audience, scope, strategy, strategy_type,
                is_mobile, details)
            VALUES (\(event.id), \(event.date), \(event.type), \(event.description), \(event.clientID),
                \(event.clientName), \(event.connection), \(event.connectionID), \(event.ip), \(event.userAgent),
                \(event.userID), \(event.userName), \(event.hostname), \(event.audience), \(event.scope),
                \(event.strategy), \(event.strategyType), \(event.isMobile), \(try JSON.text(event.details)))
            """)
    }

    /// The event with this id, or nil where there is none.
    package func find(_ id: String) async throws -> LogEvent? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT * FROM log_event WHERE log_id = \(id)").map(LogEvent.init)
        }
    }

    /// The events after an id, oldest first: Auth0's paging by checkpoint.
    /// - Parameter id: need not be an event's own; nil for the oldest there is.
    package func list(after id: String?, limit: Int) async throws -> [LogEvent] {
        try await database.readOnce { transaction in
            try transaction.rows(
                "SELECT * FROM log_event WHERE log_id > \(id ?? "") ORDER BY log_id LIMIT \(limit)"
            ).map(LogEvent.init)
        }
    }

    /// The id of the newest event, or nil where there is none.
    package func newestID() async throws -> String? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT log_id FROM log_event ORDER BY log_id DESC LIMIT 1")?.text("log_id")
        }
    }

    /// What events call these users: their e-mail addresses or user names, by their ids.
    package func userNames(_ ids: Set<String>) async throws -> [String: String] {
        guard !ids.isEmpty else { return [:] }
        let values = ids.sorted().map(SQLValue.text)
        return try await database.readOnce { transaction in
            try transaction.rows(
                "SELECT user_id, email, username FROM user_account WHERE user_id IN (\(values: values))"
            ).reduce(into: [:]) { names, row in
                names[try row.text("user_id")] = row.optionalText("email") ?? row.optionalText("username")
            }
        }
    }

    /// Removes a batch of the events that were written before `end`.
    static func expired(before end: Date, limit: Int) -> SQL {
        """
        DELETE FROM log_event WHERE log_id IN (
            SELECT log_id FROM log_event WHERE log_id < \(LogEventID.first(at: end)) ORDER BY log_id LIMIT \(limit))
        """
    }
}

/// Ids of log events: `900`, the time to the millisecond, and a number within it, all digits, as Auth0's are.
package enum LogEventID {
    /// The least id that an event of that time can have.
    package static func first(at time: Date) -> String { stem(time) + String(repeating: "0", count: digits) }

    private static let digits = 12

    private static func stem(_ time: Date) -> String { "900" + LogEvent.text(of: time).filter(\.isNumber) }

    /// Ids that are greater than every one before, also where a clock was set back.
    struct Sequence {
        private var stem: String
        private var number: Int

        init(at time: Date, after last: String?) {
            (stem, number) = (LogEventID.stem(time), 0)
            guard let last, last.count == stem.count + digits, last.prefix(stem.count) >= stem[...],
                let lastNumber = Int(last.suffix(digits))
            else { return }
            (stem, number) = (String(last.prefix(stem.count)), lastNumber + 1)
        }

        mutating func next() -> String {
            defer { number += 1 }
            let text = String(number)
            return stem + String(repeating: "0", count: digits - text.count) + text
        }
    }
}
