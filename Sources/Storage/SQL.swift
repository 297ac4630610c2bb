import Foundation

/// A statement and its arguments; interpolating a value binds it, so there is no way to splice a text into it.
///
/// The text is in the dialect that SQLite and PostgreSQL share. Where they differ, a named fragment stands.
package struct SQL: ExpressibleByStringInterpolation, Sendable {
    package private(set) var text: String
    package private(set) var arguments: [SQLValue]

    package init(stringLiteral value: String) { (text, arguments) = (value, []) }
    package init(stringInterpolation: StringInterpolation) {
        (text, arguments) = (stringInterpolation.text, stringInterpolation.arguments)
    }

    /// Collects the text and, for each interpolated value, a placeholder and an argument.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var arguments: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 3)
            arguments.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ value: some SQLValueConvertible) { bind(value.sqlValue) }
        package mutating func appendInterpolation(_ value: (some SQLValueConvertible)?) {
            bind(value?.sqlValue ?? .null)
        }

        private mutating func bind(_ value: SQLValue) {
            arguments.append(value)
            text += "$\(arguments.count)"
        }
    }
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
