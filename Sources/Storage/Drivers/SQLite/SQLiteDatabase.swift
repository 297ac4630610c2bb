import Foundation
import GRDB
import Logging

/// SQLite through GRDB: many readers, and one writer that commits concurrent writes together.
///
/// WAL with `synchronous=FULL`: a commit is on the disk before its answer leaves. The file may be open in several
/// processes at once (`portico apply` beside `portico serve`); each waits up to five seconds for the other's commit.
package final class SQLiteDatabase: SQLDatabase {
    private let pool: DatabasePool
    private let commits: GroupCommit

    /// Opens or creates the database in `file`.
    /// - Throws: ``SQLError/unavailable(_:)`` that says what to mend where the file cannot be used.
    package init(file: URL) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = max(4, ProcessInfo.processInfo.activeProcessorCount + 1)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000")
        }
        do {
            pool = try DatabasePool(path: file.path(percentEncoded: false), configuration: configuration)
            // GRDB turns the log on after it has prepared the connection, and makes it NORMAL then.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        } catch {
            throw SQLError(error)
        }
        commits = GroupCommit(pool: pool)
    }

    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try readHere(body)
    }

    /// Reads on the caller's own thread: a point read takes some microseconds, less than handing it to another thread.
    /// There are at least as many readers as threads that could ask, so nobody waits for one.
    private func readHere<T>(_ body: (any SQLTransaction) throws -> T) throws -> T {
        do {
            return try pool.read { try body(SQLiteTransaction(database: $0)) }
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            commits.submit(body, continuation)
        }
    }

    /// Nothing: SQLite tells nobody, and looking at the version is all that there is.
    package func configurationChanges() -> AsyncStream<Void> { AsyncStream { $0.finish() } }

    package func close() throws { try pool.close() }
}

/// The bridge from the port to a GRDB connection.
struct SQLiteTransaction: SQLTransaction {
    let database: Database

    func execute(_ sql: SQL) throws { _ = try changes(sql) }

    func changes(_ sql: SQL) throws -> Int {
        do {
            try prepared(sql).execute()
            return database.changesCount
        } catch {
            throw SQLError(error)
        }
    }

    /// Whoever writes is alone already.
    func lock(_ rows: SQL) {}
    func lock(_ work: ExclusiveWork) {}
    func takeTime() {}

    /// SQLite's log is used again from its beginning, so a small commit may need no new room; a file of its own does.
    func requireRoom() throws {
        guard let file = try rows("PRAGMA database_list").first?.optionalText("file"), !file.isEmpty else { return }
        let trial = URL(filePath: "\(file)-trial-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: trial) }
        do {
            try Data(count: 65_536).write(to: trial)
        } catch {
            throw SQLError.unavailable("There is no room beside the database file. Free some space on its disk.")
        }
    }

    /// Other processes look at the version.
    func announceConfigurationChange() {}

    func rows(_ sql: SQL) throws -> [SQLRow] {
        do {
            let statement = try prepared(sql)
            let columns = SQLColumns(statement.columnNames)
            let cursor = try Row.fetchCursor(statement)
            var rows: [SQLRow] = []
            while let row = try cursor.next() {
                rows.append(SQLRow(columns: columns, values: row.databaseValues.map(SQLValue.init)))
            }
            return rows
        } catch {
            throw SQLError(error)
        }
    }

    private func prepared(_ sql: SQL) throws -> Statement {
        for case .text(let text) in sql.arguments where text.utf8.contains(0) { throw SQLError.unstorableText }
        let statement = try database.cachedStatement(sql: sql.text(in: .sqlite))
        try statement.setArguments(StatementArguments(sql.arguments.map(\.databaseValue)))
        return statement
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .bool(let value): value.databaseValue
        case .integer(let value): value.databaseValue
        case .text(let value): value.databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .int64(let value): self = .integer(value)
        case .string(let value): self = .text(value)
        case .double(let value): self = .integer(Int64(value))
        case .null, .blob: self = .null
        }
    }
}

extension SQLError {
    /// The shared word for an error of SQLite's, with what to do where an operator can do something.
    init(_ error: any Error) {
        guard let error = error as? DatabaseError else {
            self = (error as? SQLError) ?? .failed("\(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_CONSTRAINT:
            switch error.extendedResultCode {
            case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY:
                self = .uniqueViolation(error.message ?? "")
            case .SQLITE_CONSTRAINT_FOREIGNKEY: self = .foreignKeyViolation
            default: self = .failed(error.message ?? "constraint")
            }
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = .unavailable("Another process has held the database's lock for five seconds; end it or wait for it.")
        case .SQLITE_FULL: self = .unavailable("The disk is full; free some space.")
        case .SQLITE_READONLY, .SQLITE_PERM:
            self = .unavailable("The database is read-only for this user; check the owner and mode of the data folder.")
        case .SQLITE_CANTOPEN:
            self = .unavailable(
                "The database file cannot be opened; check that the data folder exists and is writable.")
        case .SQLITE_IOERR:
            self = .unavailable(
                "The disk answered with an error: \(error.message ?? "unknown"). Check its free space (df) and its health."
            )

        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .unavailable("The database file is damaged or no SQLite file; restore it from a backup.")
        default: self = .failed("\(error.resultCode): \(error.message ?? "")")
        }
    }
}
