import CLibPQ

/// A statement on its way to the server.
struct PostgresCommand {
    let text: String
    private let arguments: [SQLValue]

    /// - Throws: ``SQLError/unstorableText`` for a text with a NUL character.
    init(_ sql: SQL) throws(SQLError) {
        for case .text(let text) in sql.arguments where text.utf8.contains(0) { throw .unstorableText }
        self.init(sql.text(in: .postgreSQL), sql.arguments)
    }

    init(_ text: String, _ arguments: [SQLValue] = []) { (self.text, self.arguments) = (text, arguments) }

    /// The statement with a clause of the driver's at its end.
    func appending(_ clause: String) -> PostgresCommand { PostgresCommand(text + clause, arguments) }

    /// The parameters as libpq takes them; the pointers end with the call.
    struct Parameters {
        let count: Int32
        let values: UnsafePointer<UnsafePointer<CChar>?>?
        let lengths: UnsafePointer<Int32>?
        let formats: UnsafePointer<Int32>?
    }

    /// Texts are sent with their length, so that no character can end them; numbers and truth values as digits, for
    /// which the server finds the type itself.
    func withParameters<T>(_ body: (Parameters) -> T) -> T {
        var bytes: [CChar] = []
        var offsets: [Int?] = []
        var (lengths, formats): ([Int32], [Int32]) = ([], [])
        for argument in arguments {
            let start = bytes.count
            switch argument {
            case .null: break
            case .bool(let value): bytes.append(contentsOf: (value ? "t" : "f").utf8CString)
            case .integer(let value): bytes.append(contentsOf: String(value).utf8CString)
            case .text(let value): bytes.append(contentsOf: value.utf8CString)
            }
            offsets.append(argument == .null ? nil : start)
            lengths.append(Int32(clamping: max(0, bytes.count - start - 1)))
            if case .text = argument { formats.append(1) } else { formats.append(0) }
        }
        return bytes.withUnsafeBufferPointer { bytes in
            let values = offsets.map { offset in offset.flatMap { offset in bytes.baseAddress.map { $0 + offset } } }
            return values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(
                            Parameters(
                                count: Int32(values.count), values: values.baseAddress, lengths: lengths.baseAddress,
                                formats: formats.baseAddress))
                    }
                }
            }
        }
    }
}

/// The names and types of a statement's columns.
final class PostgresColumns {
    let names: SQLColumns
    let kinds: [Kind]

    enum Kind { case text, integer, bool }

    init(_ result: OpaquePointer) {
        let range = 0..<PQnfields(result)
        names = SQLColumns(range.map { PQfname(result, $0).map { String(cString: $0) } ?? "" })
        kinds = range.map { column in
            switch PQftype(result, column) {
            case 16: .bool
            // int2, int4, int8, and the numeric that a sum of int8 is
            case 20, 21, 23, 1700: .integer
            default: .text
            }
        }
    }
}

/// What the server answers to one statement.
struct PostgresAnswer {
    let rows: [SQLRow]
    /// The number of rows that the statement changed.
    let changes: Int

    init(_ result: OpaquePointer, _ columns: PostgresColumns) {
        changes = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
        rows = (0..<PQntuples(result)).map { row in
            SQLRow(
                columns: columns.names,
                values: columns.kinds.enumerated().map { column, kind in
                    Self.value(result, row, Int32(column), kind)
                })
        }
    }

    private static func value(
        _ result: OpaquePointer, _ row: Int32, _ column: Int32, _ kind: PostgresColumns.Kind
    ) -> SQLValue {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        switch kind {
        case .bool: return .bool(bytes.first == UInt8(ascii: "t"))
        case .integer: return Int64(String(decoding: bytes, as: UTF8.self)).map(SQLValue.integer) ?? .null
        case .text: return .text(String(decoding: bytes, as: UTF8.self))
        }
    }
}
