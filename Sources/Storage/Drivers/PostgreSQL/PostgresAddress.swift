import CLibPQ
import Foundation

/// Where a tenant's schema is: a `postgres://` address as libpq takes it, with `schema` of Portico's own.
///
/// Several hosts may stand in it; the one that can be written to is used (`target_session_attrs`).
package struct PostgresAddress: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The tenant's schema.
    package let schema: String
    /// Connections at most, besides one that listens.
    package let connections: Int
    /// After which the server gives a statement up.
    let statementTimeout: Duration
    /// After which the server gives up waiting for a lock.
    let lockTimeout: Duration
    /// For libpq; holds the password.
    private let url: String

    /// Why a text is no address, without the text: it may hold a password.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter text: such as `postgres://user:password@host:5432/database?schema=acme&sslmode=verify-full`.
    /// - Throws: ``Problem``.
    package init(
        _ text: String, connections: Int = 10, statementTimeout: Duration = .seconds(6),
        lockTimeout: Duration = .seconds(5)
    ) throws(Problem) {
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") else {
            throw Problem(description: "the address must begin with postgres://, as postgres://user@host/database")
        }
        let (base, query) = Self.split(text)
        var (schema, rest): (String?, [Substring]) = (nil, [])
        for parameter in query {
            if parameter.hasPrefix("schema=") {
                schema = parameter.dropFirst(7).removingPercentEncoding ?? ""
            } else {
                rest.append(parameter)
            }
        }
        self.schema = schema ?? "portico"
        (self.connections, self.statementTimeout, self.lockTimeout) = (connections, statementTimeout, lockTimeout)
        url = rest.isEmpty ? base : base + "?" + rest.joined(separator: "&")
        guard self.schema.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_\-]{0,54}/) != nil, !self.schema.hasPrefix("pg_") else {
            throw Problem(
                description:
                    "schema must be 1 to 55 letters, digits, '_' and '-', beginning with a letter, not with pg_")
        }
        try Self.check(url)
    }

    private static func split(_ text: String) -> (String, [Substring]) {
        guard let mark = text.firstIndex(of: "?") else { return (text, []) }
        return (String(text[..<mark]), text[text.index(after: mark)...].split(separator: "&"))
    }

    /// libpq's own reading of the address.
    private static func check(_ url: String) throws(Problem) {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            defer { PQfreemem(message) }
            throw Problem(description: message.map { String(cString: $0).replacing("\n", with: "") } ?? "no address")
        }
        PQconninfoFree(options)
    }

    /// Host, database and schema: for people, without the password.
    package var description: String {
        let plain = url.prefix { $0 != "?" }
        let scheme = plain.range(of: "://").map { plain[..<$0.upperBound] } ?? ""
        let place = plain.lastIndex(of: "@").map { plain[plain.index(after: $0)...] } ?? plain.dropFirst(scheme.count)
        return "\(scheme)\(place) schema \(schema)"
    }

    package var debugDescription: String { description }

    /// A new connection, whatever came of it; nil where there is no memory.
    func connect() -> OpaquePointer? {
        // What stands before the address it may override; what stands after it, it may not.
        let parameters: KeyValuePairs = [
            "application_name": "portico", "connect_timeout": "5", "target_session_attrs": "read-write",
            "tcp_user_timeout": "10000", "keepalives_idle": "30", "dbname": url, "client_encoding": "UTF8",
        ]
        let names = parameters.map { strdup($0.key) }, values = parameters.map { strdup($0.value) }
        defer { for pointer in names + values { free(pointer) } }
        let nameList = names.map { UnsafePointer($0) } + [nil], valueList = values.map { UnsafePointer($0) } + [nil]
        return PQconnectdbParams(nameList, valueList, 1)
    }

    /// The channel on which nodes tell each other of changes.
    var channel: String { "portico_\(schema)" }

    /// The schema's name as SQL has it.
    var quotedSchema: String { "\"\(schema)\"" }
}
