import Foundation
import OAuth
import Storage
import Testing

@Suite("SQLite files")
struct SQLiteDatabaseTests {
    private static func pragma(_ sql: SQL, _ database: any SQLDatabase, writer: Bool) async throws -> SQLValue? {
        let read: @Sendable (any SQLTransaction) throws -> SQLValue? = { transaction in
            let row = try transaction.row(sql)
            return ["journal_mode", "synchronous", "foreign_keys"].lazy.compactMap { row?.value($0) }.first
        }
        return writer ? try await database.write(read) : try await database.read(read)
    }

    @Test("Write-ahead log, durable commits and foreign keys, on the writer and on readers")
    func pragmas() async throws {
        let folder = try TemporaryFolder()
        let database = try folder.open()
        for writer in [true, false] {
            #expect(try await Self.pragma("PRAGMA journal_mode", database, writer: writer) == .text("wal"))
            #expect(try await Self.pragma("PRAGMA foreign_keys", database, writer: writer) == .integer(1))
        }
        // 2 is FULL: each commit is on the disk before anybody hears of it.
        #expect(try await Self.pragma("PRAGMA synchronous", database, writer: true) == .integer(2))
    }

    @Test("The log and the shared memory are no more readable than the database")
    func fileModes() async throws {
        let folder = try TemporaryFolder()
        try #require(
            FileManager.default.createFile(
                atPath: folder.file.path(), contents: Data(), attributes: [.posixPermissions: 0o600]))
        let database = try folder.open()
        try await Migrations.run(on: database)
        for suffix in ["", "-wal", "-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file.path() + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "portico.sqlite\(suffix)")
        }
        try database.close()
    }

    @Test("What is committed is there when the file is opened again")
    func reopening() async throws {
        let folder = try TemporaryFolder()
        let first = try folder.open()
        try await Migrations.run(on: first)
        try await first.write { try TenantStore.configurationChanged(in: $0) }
        try first.close()
        let second = try folder.open()
        #expect(try await Migrations.run(on: second).isEmpty)
        #expect(try await Stores(database: second).tenant.configurationVersion() == 2)
    }

    @Test("A commit survives the death of the process: the file and its log, copied while open, hold it")
    func copiedWhileOpen() async throws {
        let (folder, copy) = (try TemporaryFolder(), try TemporaryFolder())
        let database = try folder.open()
        try await Migrations.run(on: database)
        for count in 2...30 {
            try await database.write { try TenantStore.configurationChanged(in: $0) }
            guard count % 10 == 0 else { continue }
            for suffix in ["", "-wal"] {
                let target = URL(filePath: copy.file.path() + suffix)
                try? FileManager.default.removeItem(at: target)
                try FileManager.default.copyItem(at: URL(filePath: folder.file.path() + suffix), to: target)
            }
            let dead = try copy.open()
            #expect(try await Stores(database: dead).tenant.configurationVersion() == count)
            try dead.close()
        }
    }

    @Test(
        "A file that cannot be used is an error that says what to mend",
        arguments: [("missing/portico.sqlite", "folder"), ("no-database", "backup"), (".", "folder")])
    func unusable(name: String, mend: String) async throws {
        let folder = try TemporaryFolder()
        try Data(repeating: 0x41, count: 4096).write(to: folder.url.appending(path: "no-database"))
        do {
            let database = try SQLiteDatabase(file: folder.url.appending(path: name))
            try await Migrations.run(on: database)
            Issue.record("The file is taken for a database")
        } catch SQLError.unavailable(let text) {
            #expect(text.contains(mend))
        }
    }

    @Test(
        "A transaction that another process holds open for long ends in an error that says so", .timeLimit(.minutes(60))
    )
    func lockedForLong() async throws {
        let folder = try TemporaryFolder()
        let (holder, waiter) = (try folder.open(), try folder.open())
        try await holder.write { try $0.execute("CREATE TABLE scratch (id BIGINT)") }
        let (started, isHeld) = AsyncStream.makeStream(of: Void.self)
        let mayEnd = DispatchSemaphore(value: 0)
        async let held: Void = holder.write { transaction in
            try transaction.execute("INSERT INTO scratch VALUES (1)")
            isHeld.yield()
            // The writer has a thread of its own, so waiting here holds up nobody else.
            mayEnd.wait()
        }
        for await _ in started { break }
        let error = await #expect(throws: SQLError.self) {
            try await waiter.write { try $0.execute("DELETE FROM scratch") }
        }
        if case .unavailable(let text)? = error {
            #expect(text.contains("Another process"))
        } else {
            Issue.record("\(String(describing: error)) does not say who holds the lock")
        }
        // Readers never wait for it.
        #expect(try await waiter.read { try $0.rows("SELECT * FROM scratch") }.isEmpty)
        mayEnd.signal()
        try await held
        try await waiter.write { try $0.execute("DELETE FROM scratch") }
        #expect(try await holder.read { try $0.rows("SELECT * FROM scratch") }.isEmpty)
    }
}
