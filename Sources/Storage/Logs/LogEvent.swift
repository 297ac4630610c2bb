import Foundation
import OAuth

/// One thing that happened, in the form of Auth0's tenant logs. It never holds a secret, a token, a code or a password, and
/// what others wrote is cut to a length and has no control characters.
package struct LogEvent: Sendable, Hashable {
    /// Sorts in time; empty until ``LogEventStore/append(_:at:in:)`` gives one.
    package internal(set) var id = ""
    package let date: Date
    /// Auth0's code, see ``LogEventType``. A text, because a newer version may have written it.
    package let type: String
    /// What went wrong, or what was done, in words.
    package var description: String?
    package var clientID: String?
    package var clientName: String?
    /// The connection's name.
    package var connection: String?
    package var connectionID: String?
    /// The address that the request came from.
    package var ip: String?
    package var userAgent: String?
    package var userID: String?
    /// The user's e-mail address or name.
    package var userName: String?
    package var hostname: String?
    /// The API that the tokens are for.
    package var audience: String?
    package var scope: String?
    /// The connection's kind, such as `auth0`.
    package var strategy: String?
    /// `database`, `social` or `enterprise`.
    package var strategyType: String?
    package var isMobile = false
    /// What only some kinds of event have; `request_id` and `elapsed_ms` where a request caused it.
    package var details: JSONObject = [:]

    package init(_ type: LogEventType, at date: Date, description: String? = nil) {
        (self.type, self.date, self.description) = (type.rawValue, date.storable, description)
    }

    /// A write through the Management API: `sapi`, or `fapi` where it was refused.
    /// - Parameters:
    ///   - operation: the operation's title, such as `Create a client`.
    ///   - details: who, what, before and after, with secrets taken out.
    package static func management(
        succeeded: Bool, operation: String, at date: Date, clientID: String?, userID: String?, details: JSONObject
    ) -> LogEvent {
        var event = LogEvent(succeeded ? .apiOperation : .failedAPIOperation, at: date, description: operation)
        (event.clientID, event.userID, event.details) = (clientID, userID, details)
        return event
    }

    /// The members of Auth0's `/api/v2/logs`; those that are unknown are left out.
    package var document: JSONObject {
        var members: JSONObject = [
            "_id": .string(id), "log_id": .string(id), "date": .string(Self.text(of: date)), "type": .string(type),
            "isMobile": .bool(isMobile),
        ]
        for (name, value) in texts where value != nil { members[name] = value.map(JSONValue.string) }
        if !details.isEmpty { members["details"] = .object(details) }
        return members
    }

    private var texts: [(String, String?)] {
        [
            ("description", description), ("client_id", clientID), ("client_name", clientName),
            ("connection", connection), ("connection_id", connectionID), ("ip", ip), ("user_agent", userAgent),
            ("user_id", userID), ("user_name", userName), ("hostname", hostname), ("audience", audience),
            ("scope", scope), ("strategy", strategy), ("strategy_type", strategyType),
        ]
    }

    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// A time as Auth0 writes it, with milliseconds.
    package static func text(of date: Date) -> String {
        // Half a millisecond: the style cuts, and a stored time may be a fraction below its millisecond.
        date.addingTimeInterval(0.0005).formatted(format)
    }

    /// A time as ``text(of:)`` writes it, or without milliseconds; nil for anything else.
    package static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: format)) ?? (try? Date(text, strategy: .iso8601))
    }

    // MARK: What others wrote

    /// This event with every text cut to its length and without control characters.
    package var cleaned: LogEvent {
        var event = self
        event.description = description.map { Self.clean($0, most: 500) }
        for path in Self.names { event[keyPath: path] = event[keyPath: path].map { Self.clean($0, most: 255) } }
        for path in Self.longTexts { event[keyPath: path] = event[keyPath: path].map { Self.clean($0, most: 1000) } }
        event.details = Self.clean(details)
        return event
    }

    private static let names: [any WritableKeyPath<LogEvent, String?> & Sendable] = [
        \.clientID, \.clientName, \.connection, \.connectionID, \.ip, \.userID, \.userName, \.hostname, \.audience,
        \.strategy, \.strategyType,
    ]
    private static let longTexts: [any WritableKeyPath<LogEvent, String?> & Sendable] = [\.userAgent, \.scope]

    /// Bytes of an event's details at most.
    private static let mostDetails = 32_768

    private static func clean(_ details: JSONObject) -> JSONObject {
        var room = mostDetails
        // Nearly all details are plain and small: nothing is made anew for them.
        if isPlain(.object(details), depth: 0, room: &room) { return details }
        let cleaned = clean(.object(details), depth: 0).object ?? [:]
        guard let text = try? JSON.text(cleaned), text.utf8.count > mostDetails else { return cleaned }
        // What a change was about may be large; who asked for it is not.
        let small = cleaned.filter { name, value in
            ((try? JSON.text(value))?.utf8.count ?? 0) <= 1000
        }
        return small.merging(["truncated": true]) { $1 }
    }

    /// Whether a value has nothing to clean and leaves room, in bytes of JSON at most, for what comes after it.
    private static func isPlain(_ value: JSONValue, depth: Int, room: inout Int) -> Bool {
        switch value {
        case .string(let text):
            return isPlain(text, most: 2000, room: &room)
        case .array(let array):
            room -= 2
            return depth <= 8 && array.allSatisfy { isPlain($0, depth: depth + 1, room: &room) }
        case .object(let object):
            room -= 2
            return depth <= 8
                && object.allSatisfy {
                    isPlain($0.key, most: 255, room: &room) && isPlain($0.value, depth: depth + 1, room: &room)
                }
        default:
            room -= 32
            return room > 0
        }
    }

    private static func isPlain(_ text: String, most: Int, room: inout Int) -> Bool {
        // A quotation mark, a backslash and a slash are written as two bytes; then the quotation marks and a comma or colon.
        room -= 2 * text.utf8.count + 3
        return room > 0 && isPlain(text, most: most)
    }

    private static func clean(_ value: JSONValue, depth: Int) -> JSONValue {
        switch value {
        case .string(let text): .string(clean(text, most: 2000))
        case .array(let array): depth > 8 ? "…" : .array(array.map { clean($0, depth: depth + 1) })
        case .object(let object):
            depth > 8
                ? "…"
                : .object(
                    Dictionary(
                        object.map { (clean($0.key, most: 255), clean($0.value, depth: depth + 1)) },
                        uniquingKeysWith: { _, last in last }))
        default: value
        }
    }

    /// The text with control and format characters as `\u{1b}`, cut to `most` characters.
    static func clean(_ text: String, most: Int) -> String {
        // Most texts are plain and short: nothing is made anew for them.
        if isPlain(text, most: most) { return text }
        var (cleaned, count) = ("", 0)
        for scalar in text.unicodeScalars {
            guard count < most else { return cleaned + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                cleaned += "\\u{\(String(scalar.value, radix: 16))}"
            default: cleaned.unicodeScalars.append(scalar)
            }
            count += 1
        }
        return cleaned
    }

    private static func isPlain(_ text: String, most: Int) -> Bool {
        text.utf8.count <= most && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }
}

extension LogEvent {
    init(_ row: SQLRow) throws {
        id = try row.text("log_id")
        date = try row.date("happened_at")
        type = try row.text("type")
        description = row.optionalText("description")
        (clientID, clientName) = (row.optionalText("client_id"), row.optionalText("client_name"))
        (connection, connectionID) = (row.optionalText("connection"), row.optionalText("connection_id"))
        (ip, userAgent) = (row.optionalText("ip"), row.optionalText("user_agent"))
        (userID, userName) = (row.optionalText("user_id"), row.optionalText("user_name"))
        (hostname, audience) = (row.optionalText("hostname"), row.optionalText("audience"))
        (scope, strategy) = (row.optionalText("scope"), row.optionalText("strategy"))
        strategyType = row.optionalText("strategy_type")
        isMobile = try row.bool("is_mobile")
        details = try row.json("details")
    }
}
