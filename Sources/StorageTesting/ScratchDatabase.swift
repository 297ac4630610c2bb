import Foundation
import Storage

/// A fresh, empty database of a test's own, of the kind that `PORTICO_TEST_DATABASE` asks for: `sqlite` (standard) or
/// `postgres`.
package struct ScratchDatabase: Sendable {
    private enum Kind: String { case sqlite, postgres }
    private enum Place: Sendable { case file(URL), schema(PostgresAddress) }

    private let place: Place

    /// - Parameter folder: where SQLite keeps its files.
    package init(folder: URL) async throws {
        let chosen = ProcessInfo.processInfo.environment["PORTICO_TEST_DATABASE"] ?? Kind.sqlite.rawValue
        switch Kind(rawValue: chosen) {
        case .sqlite: place = .file(folder.appending(path: "portico.sqlite"))
        case .postgres: place = .schema(try await TemporaryPostgres.newSchema())
        case nil: throw UnknownKind(chosen: chosen)
        }
    }

    /// Opens it; another call opens it once more, as another process does.
    package func open() async throws -> any SQLDatabase {
        switch place {
        case .file(let file): try SQLiteDatabase(file: file)
        case .schema(let address): try await PostgresDatabase.open(address)
        }
    }

    private struct UnknownKind: Error, CustomStringConvertible {
        let chosen: String
        var description: String { "PORTICO_TEST_DATABASE is '\(chosen)'; sqlite and postgres are supported" }
    }
}
