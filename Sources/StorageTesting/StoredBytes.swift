import Foundation
import Storage
import Testing

extension SQLDatabase {
    /// Everything that the database keeps, to search it for what must not be there: the bytes of SQLite's file and log, or
    /// the values of all rows.
    package func storedBytes() async throws -> Data {
        if self is SQLiteDatabase {
            let row = try await read { try $0.row("PRAGMA database_list") }
            let path = try #require(row?.optionalText("file"))
            return try ["", "-wal"].reduce(into: Data()) { bytes, suffix in
                bytes.append(try Data(contentsOf: URL(filePath: path + suffix)))
            }
        }
        return try await read { transaction in
            try Table.all.reduce(into: Data()) { bytes, table in
                for row in try table.rows(after: [], limit: 100_000, in: transaction) {
                    for case .text(let text) in row { bytes.append(Data((text + "\n").utf8)) }
                }
            }
        }
    }
}
