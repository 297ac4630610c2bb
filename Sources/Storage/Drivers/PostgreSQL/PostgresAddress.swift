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
    /// Hosts, database and schema: for people, without user and password.
    package let description: String
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
        try Self.checkNames(query)
        var (schema, rest): (String?, [Substring]) = (nil, [])
        for parameter in query {
            if parameter.hasPrefix("schema=") {
                schema = parameter.dropFirst(7).removingPercentEncoding ?? ""
            } else {
                rest.append(parameter)
            }
        }
        let named = schema ?? "portico"
        guard named.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_\-]{0,54}/) != nil, !named.hasPrefix("pg_") else {
            throw Problem(
                description:
                    "schema must be 1 to 55 letters, digits, '_' and '-', beginning with a letter, not with pg_")
        }
        let url = rest.isEmpty ? base : base + "?" + rest.joined(separator: "&")
        description = try "postgres://\(Self.place(url)) schema \(named)"
        (self.url, self.schema, self.connections) = (url, named, connections)
        (self.statementTimeout, self.lockTimeout) = (statementTimeout, lockTimeout)
    }

    /// The address and its parameters. A question mark before the host is part of a password.
    private static func split(_ text: String) -> (String, [Substring]) {
        let host = text.lastIndex(of: "@") ?? text.startIndex
        guard let mark = text[host...].firstIndex(of: "?") ?? text.firstIndex(of: "?") else { return (text, []) }
        return (String(text[..<mark]), text[text.index(after: mark)...].split(separator: "&"))
    }

    /// Hosts, ports and database as libpq reads them. What it says of an address that it cannot read is not passed on,
    /// because it repeats parts of it; and what looks as if it were a password's end is refused, because it would be shown.
    private static func place(_ url: String) throws(Problem) -> String {
        guard let options = PQconninfoParse(url, nil) else { throw unreadable("it cannot be read") }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            values[String(cString: keyword)] = option.pointee.val.map { String(cString: $0) }
            option += 1
        }
        let (hosts, database) = (values["host"] ?? values["hostaddr"] ?? "", values["dbname"] ?? "")
        let ports = (values["port"] ?? "").split(separator: ",")
        guard ports.allSatisfy({ UInt16($0) != nil }) else { throw unreadable("its port is no number") }
        guard !hosts.contains("@"), !database.contains("@") else { throw unreadable("it has an @ too many") }
        let port = ports.isEmpty ? "" : ":" + ports.joined(separator: ",")
        return "\(hosts)\(port)/\(database)"
    }

    private static func unreadable(_ what: String) -> Problem {
        Problem(
            description:
                "\(what). Percent-encode what is special in the user and the password of the address (% is %25, "
                + "@ is %40, : is %3A, / is %2F, ? is %3F)")
    }

    /// Names the first parameter that libpq does not know.
    private static func checkNames(_ parameters: [Substring]) throws(Problem) {
        guard let defaults = PQconndefaults() else { return }
        defer { PQconninfoFree(defaults) }
        var known: Set<String> = ["schema", "ssl"]
        var option = defaults
        while let keyword = option.pointee.keyword {
            known.insert(String(cString: keyword))
            option += 1
        }
        for name in parameters.map({ String($0.prefix { $0 != "=" }) }) where !known.contains(name) {
            // Anything but a name may be a piece of a password.
            guard name.wholeMatch(of: /[a-z_]{1,40}/) != nil else { throw unreadable("it cannot be read") }
            throw Problem(
                description: "there is no parameter '\(name)'; libpq's are listed in PostgreSQL's documentation")
        }
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
