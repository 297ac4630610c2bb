import Foundation

/// A statement and its arguments; interpolating a value binds it, so there is no way to splice a text into it.
///
/// The text is in the dialect that SQLite and PostgreSQL share. Where they differ, a named ``Fragment`` stands.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// The text without its fragments.
    private let shared: String
    /// The fragments, and where in the UTF-8 of `shared` they stand.
    private let fragments: [(offset: Int, fragment: Fragment)]
    package let arguments: [SQLValue]

    package init(stringLiteral value: String) { (shared, fragments, arguments) = (value, [], []) }
    package init(stringInterpolation: StringInterpolation) {
        (shared, fragments, arguments) = (
            stringInterpolation.text, stringInterpolation.fragments, stringInterpolation.arguments
        )
    }

    /// A database's own SQL.
    package enum Dialect: Sendable { case sqlite, postgreSQL }

    /// What the dialects write differently.
    package enum Fragment: Sendable {
        /// The tables of this tenant's file or schema, a row each with its `name`.
        case tables
        /// The type of a text column that is compared and sorted by its bytes, whatever language the database speaks.
        case textColumn

        fileprivate func text(in dialect: Dialect) -> String {
            switch (self, dialect) {
            case (.tables, .sqlite): "(SELECT name FROM sqlite_master WHERE type = 'table') AS tables"
            case (.tables, .postgreSQL):
                "(SELECT tablename::TEXT AS name FROM pg_tables WHERE schemaname = current_schema()) AS tables"
            case (.textColumn, .sqlite): "TEXT"
            case (.textColumn, .postgreSQL): "TEXT COLLATE \"C\""
            }
        }
    }

    /// The statement with `$1`, `$2` … for its arguments.
    package func text(in dialect: Dialect) -> String {
        guard !fragments.isEmpty else { return shared }
        var (text, start) = ("", 0)
        for (offset, fragment) in fragments {
            text += Self.slice(shared, start..<offset) + fragment.text(in: dialect)
            start = offset
        }
        return text + Self.slice(shared, start..<shared.utf8.count)
    }

    private static func slice(_ text: String, _ range: Range<Int>) -> Substring {
        let start = text.utf8.index(text.startIndex, offsetBy: range.lowerBound)
        return text[start..<text.utf8.index(start, offsetBy: range.count)]
    }

    /// Collects the text and, for each interpolated value, a placeholder and an argument.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var fragments: [(offset: Int, fragment: Fragment)] = []
        fileprivate var arguments: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 3)
            arguments.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ fragment: Fragment) {
            fragments.append((text.utf8.count, fragment))
        }
        package mutating func appendInterpolation(_ value: some SQLValueConvertible) { bind(value.sqlValue) }
        package mutating func appendInterpolation(_ value: (some SQLValueConvertible)?) {
            bind(value?.sqlValue ?? .null)
        }

        /// A name of ``Table``'s own, which is no user's text.
        mutating func appendInterpolation(name: StaticName) { text += "\"\(name.text)\"" }
        /// Several of them, with commas between.
        mutating func appendInterpolation(names: [StaticName]) {
            text += names.map { "\"\($0.text)\"" }.joined(separator: ", ")
        }
        /// Columns that take the values of the row which could not be inserted.
        mutating func appendInterpolation(excluded names: [StaticName]) {
            text += names.map { "\"\($0.text)\" = excluded.\"\($0.text)\"" }.joined(separator: ", ")
        }
        /// Several values, with commas between.
        mutating func appendInterpolation(values: [SQLValue]) {
            for (index, value) in values.enumerated() {
                if index > 0 { text += ", " }
                bind(value)
            }
        }

        /// Another statement's text as a part of this one.
        package mutating func appendInterpolation(_ part: SQL) {
            var start = 0
            for (offset, fragment) in part.fragments + [(part.shared.utf8.count, nil)] as [(Int, Fragment?)] {
                // Its placeholders count on from the arguments that are there already.
                let shift = arguments.count
                text += SQL.slice(part.shared, start..<offset).replacing(/\$(\d+)/) { "$\((Int($0.1) ?? 0) + shift)" }
                if let fragment { fragments.append((text.utf8.count, fragment)) }
                start = offset
            }
            arguments += part.arguments
        }

        private mutating func bind(_ value: SQLValue) {
            arguments.append(value)
            text += "$\(arguments.count)"
        }
    }
}

/// The name of a table or column that stands in the program's own text.
struct StaticName: Sendable, Hashable, ExpressibleByStringLiteral {
    let text: String

    init(stringLiteral value: StaticString) { text = value.description }
}

/// A value in a statement or a row.
package enum SQLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case text(String)
}

/// What can be bound to a statement.
package protocol SQLValueConvertible {
    var sqlValue: SQLValue { get }
}

extension String: SQLValueConvertible { package var sqlValue: SQLValue { .text(self) } }
extension Int: SQLValueConvertible { package var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Bool: SQLValueConvertible { package var sqlValue: SQLValue { .bool(self) } }

/// Dates are stored as whole milliseconds since 1970 in UTC: the precision that Auth0 shows, equal in both databases.
extension Date: SQLValueConvertible {
    package var sqlValue: SQLValue { .integer(milliseconds) }

    /// Milliseconds since 1970, the nearest: a stored time is a binary fraction just below or above its millisecond, and
    /// rounding down would lose one each time that it is written again.
    private var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    /// The date of a stored number of milliseconds since 1970.
    package init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }

    /// This date as the database gives it back.
    package var storable: Date { Date(milliseconds: milliseconds) }
}
