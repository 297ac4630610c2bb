import Foundation
import OAuth

/// One row of a result.
package struct SQLRow: Sendable {
    private let columns: SQLColumns
    private let values: [SQLValue]

    package init(columns: SQLColumns, values: [SQLValue]) {
        (self.columns, self.values) = (columns, values)
    }

    /// The value of a column, or nil where it is NULL or the statement did not select it.
    package func value(_ name: String) -> SQLValue? {
        guard let index = columns.names.firstIndex(of: name), values[index] != .null else { return nil }
        return values[index]
    }

    /// The text of a column, or nil where it is NULL or no text.
    package func optionalText(_ name: String) -> String? {
        if case .text(let value)? = value(name) { value } else { nil }
    }
    /// The whole number of a column, or nil where it is NULL or no number.
    package func optionalInteger(_ name: String) -> Int? {
        if case .integer(let value)? = value(name) { Int(value) } else { nil }
    }
    /// The time that a column holds as milliseconds since 1970, or nil where it is NULL or no number.
    package func optionalDate(_ name: String) -> Date? {
        if case .integer(let value)? = value(name) { Date(milliseconds: value) } else { nil }
    }

    /// - Throws: ``SQLError/unexpectedValue(column:)`` where the schema promises a text and the row has none.
    package func text(_ name: String) throws -> String {
        guard let value = optionalText(name) else { throw SQLError.unexpectedValue(column: name) }
        return value
    }
    /// - Throws: ``SQLError/unexpectedValue(column:)`` where the schema promises a number and the row has none.
    package func integer(_ name: String) throws -> Int {
        guard let value = optionalInteger(name) else { throw SQLError.unexpectedValue(column: name) }
        return value
    }
    /// - Throws: ``SQLError/unexpectedValue(column:)`` where the schema promises a time and the row has none.
    package func date(_ name: String) throws -> Date {
        guard let value = optionalDate(name) else { throw SQLError.unexpectedValue(column: name) }
        return value
    }
    /// - Throws: ``SQLError/unexpectedValue(column:)`` where the schema promises a truth value and the row has none.
    package func bool(_ name: String) throws -> Bool {
        switch value(name) {
        case .bool(let value): value
        case .integer(let value): value != 0
        default: throw SQLError.unexpectedValue(column: name)
        }
    }

    /// The JSON object that a text column holds.
    package func json(_ name: String) throws -> JSONObject {
        do {
            let text = try text(name)
            return text == "{}" ? [:] : try JSONReader.object(text.utf8)
        } catch {
            throw SQLError.unexpectedValue(column: name)
        }
    }

    /// The JSON that a text column holds.
    package func json<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        do {
            return try JSON.decode(type, from: text(name))
        } catch {
            throw SQLError.unexpectedValue(column: name)
        }
    }
}

/// The names of a result's columns, shared by its rows. There are few, so looking through them beats a table of them.
package struct SQLColumns: Sendable {
    let names: [String]

    package init(_ names: [String]) { self.names = names }
}
