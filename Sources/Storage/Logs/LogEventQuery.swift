import Foundation
import OAuth

/// Which log events are asked for, as `/api/v2/logs` does.
package struct LogEventQuery: Sendable {
    /// Events of a search that can be paged through: Auth0's window.
    package static let window = 1000

    /// nil for every event.
    package var search: SearchQuery?
    /// The user whose events are wanted; nil for everybody's.
    package var userID: String?
    package var isNewestFirst = true
    /// Events that are passed over.
    package var offset = 0
    /// Events at most.
    package var limit = 50

    package init() {}

    /// What a `q` may name, and how it is compared.
    private enum Field {
        /// A name or code, compared exactly.
        case code(StaticName)
        /// Words, compared without regard to case.
        case words(StaticName)
        case date
        case truth(StaticName)
    }

    private static let fields: [String: Field] = [
        "log_id": .code("log_id"), "_id": .code("log_id"), "type": .code("type"), "client_id": .code("client_id"),
        "connection": .code("connection"), "connection_id": .code("connection_id"), "ip": .code("ip"),
        "user_id": .code("user_id"), "hostname": .code("hostname"), "audience": .code("audience"),
        "strategy": .code("strategy"), "strategy_type": .code("strategy_type"), "date": .date,
        "description": .words("description"), "user_name": .words("user_name"), "client_name": .words("client_name"),
        "user_agent": .words("user_agent"), "scope": .words("scope"), "isMobile": .truth("is_mobile"),
    ]

    /// The condition of a statement.
    /// - Throws: ``SearchQuery/Problem`` for a field that there is not, or a value that it cannot have.
    package func condition() throws(SearchQuery.Problem) -> SQL {
        let found: SQL = if let search { try Self.sql(search) } else { "1 = 1" }
        guard let userID else { return found }
        return "user_id = \(userID) AND (\(found))"
    }

    private static func sql(_ query: SearchQuery) throws(SearchQuery.Problem) -> SQL {
        switch query {
        case .all(let parts): return try joined(parts) { "(\($0) AND \($1))" }
        case .any(let parts): return try joined(parts) { "(\($0) OR \($1))" }
        case .not(let part): return "(NOT COALESCE(\(try sql(part)), FALSE))"
        case .term(nil, let value):
            // Where no field is named, the ones that people look for.
            let fields = [
                "description", "user_name", "client_name", "type", "ip", "user_id", "client_id", "connection",
            ]
            let wanted: SearchQuery.Value
            switch value {
            case .text(let text), .phrase(let text): wanted = .pattern("*\(text)*")
            case .pattern: wanted = value
            case .range, .exists: throw SearchQuery.Problem(description: "has a range of nothing")
            }
            return try joined(fields.map { .term(field: $0, wanted) }) { "(\($0) OR \($1))" }
        case .term(let name?, let value):
            guard let field = fields[name] else {
                throw SearchQuery.Problem(
                    description:
                        "has no field '\(name.forDisplay)'; there are \(fields.keys.sorted().joined(separator: ", "))")
            }
            return try sql(field, value)
        }
    }

    private static func joined(
        _ parts: [SearchQuery], _ join: (SQL, SQL) -> SQL
    ) throws(SearchQuery.Problem) -> SQL {
        var joined: SQL?
        for part in parts {
            let next = try sql(part)
            joined = joined.map { join($0, next) } ?? next
        }
        return joined ?? "1 = 1"
    }

    private static func sql(_ field: Field, _ value: SearchQuery.Value) throws(SearchQuery.Problem) -> SQL {
        switch (field, value) {
        case (.date, .exists): return "1 = 1"
        case (.code(let column), .exists), (.words(let column), .exists), (.truth(let column), .exists):
            return "\(name: column) IS NOT NULL"
        case (.code(let column), .text(let text)), (.code(let column), .phrase(let text)):
            return "\(name: column) = \(text)"
        case (.words(let column), .text(let text)), (.words(let column), .phrase(let text)):
            return "LOWER(\(name: column)) = \(lowercased(text))"
        case (.code(let column), .pattern(let text)), (.words(let column), .pattern(let text)):
            return "LOWER(\(name: column)) LIKE \(pattern(text)) ESCAPE '!'"
        case (.code(let column), .range(let from, let to)), (.words(let column), .range(let from, let to)):
            return range("\(name: column)", from.map { ($0.text.sqlValue, $0) }, to.map { ($0.text.sqlValue, $0) })
        case (.truth(let column), .text(let text)), (.truth(let column), .phrase(let text)):
            guard let truth = Bool(text) else {
                throw SearchQuery.Problem(description: "wants true or false, not '\(text.forDisplay)'")
            }
            return truth ? "\(name: column)" : "NOT \(name: column)"
        case (.date, .text(let text)), (.date, .phrase(let text)):
            let (start, end) = try day(text)
            return "(happened_at >= \(start) AND happened_at < \(end))"
        case (.date, .range(let from, let to)):
            // An event is written after it happened, so its id is no help with the later end.
            let start: (Date, Date)? = if let from { try day(from.text) } else { nil }
            let end: (Date, Date)? = if let to { try day(to.text) } else { nil }
            let lower: SQL =
                start.map { "log_id >= \(LogEventID.first(at: $0.0)) AND happened_at >= \($0.0)" } ?? "1 = 1"
            let upper: SQL = end.map { "happened_at < \($0.1)" } ?? "1 = 1"
            return "(\(lower) AND \(upper))"
        case (.truth, _), (.date, .pattern):
            throw SearchQuery.Problem(description: "compares a field with a value that it cannot have")
        }
    }

    private static func range(
        _ column: SQL, _ from: (SQLValue, SearchQuery.Bound)?, _ to: (SQLValue, SearchQuery.Bound)?
    ) -> SQL {
        var parts: [SQL] = []
        if let (value, bound) = from {
            parts.append(bound.isIncluded ? "\(column) >= \(values: [value])" : "\(column) > \(values: [value])")
        }
        if let (value, bound) = to {
            parts.append(bound.isIncluded ? "\(column) <= \(values: [value])" : "\(column) < \(values: [value])")
        }
        return parts.reduce("\(column) IS NOT NULL") { "\($0) AND \($1)" }
    }

    /// `!` and what it stands before are texts; `*` and `?` are SQL's `%` and `_`. In lower case as both databases make it.
    private static func pattern(_ text: String) -> String {
        var pattern = ""
        for character in lowercased(text) {
            switch character {
            case "*": pattern += "%"
            case "?": pattern += "_"
            case "%", "_", "!": pattern += "!\(character)"
            default: pattern.append(character)
            }
        }
        return pattern
    }

    /// Letters of ASCII alone, as SQLite and PostgreSQL's "C" do it.
    private static func lowercased(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { ("A"..."Z").contains($0) ? (Unicode.Scalar($0.value + 32) ?? $0) : $0 }))
    }

    /// When a day or an exact time begins and ends: `2026-11-21`, or ISO 8601 with a time.
    private static func day(_ text: String) throws(SearchQuery.Problem) -> (Date, Date) {
        if text.utf8.count == 10, let start = try? Date("\(text)T00:00:00Z", strategy: .iso8601) {
            return (start, start.addingTimeInterval(86_400))
        }
        let precise = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        if let time = try? Date(text, strategy: precise) { return (time, time.addingTimeInterval(0.001)) }
        if let time = try? Date(text, strategy: .iso8601) { return (time, time.addingTimeInterval(1)) }
        throw SearchQuery.Problem(
            description: "wants a date such as 2026-11-21 or 2026-11-21T10:00:00Z, not '\(text.forDisplay)'")
    }
}

extension LogEventStore {
    /// The events that a query asks for.
    /// - Throws: ``SearchQuery/Problem`` for a query that cannot be.
    package func list(_ query: LogEventQuery) async throws -> [LogEvent] {
        let condition = try query.condition()
        let (limit, offset) = (query.limit, query.offset)
        let statement: SQL =
            query.isNewestFirst
            ? "SELECT * FROM log_event WHERE \(condition) ORDER BY log_id DESC LIMIT \(limit) OFFSET \(offset)"
            : "SELECT * FROM log_event WHERE \(condition) ORDER BY log_id LIMIT \(limit) OFFSET \(offset)"
        return try await database.readOnce { try $0.rows(statement).map(LogEvent.init) }
    }

    /// How many events a query finds, ``LogEventQuery/window`` at most: no more can be paged through.
    /// - Throws: ``SearchQuery/Problem`` for a query that cannot be.
    package func count(_ query: LogEventQuery) async throws -> Int {
        let condition = try query.condition()
        let statement: SQL = """
            SELECT COUNT(*) AS rows FROM (
                SELECT log_id FROM log_event WHERE \(condition) LIMIT \(LogEventQuery.window)) AS found
            """
        return try await database.readOnce { try $0.row(statement)?.integer("rows") ?? 0 }
    }
}
