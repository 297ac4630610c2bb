import Foundation
import Storage
import StorageTesting
import Synchronization
import Testing

@Suite("PostgreSQL")
struct PostgresDatabaseTests {
    private static func open() async throws -> PostgresDatabase {
        try await PostgresDatabase.open(TemporaryPostgres.newSchema())
    }

    @Test("The list of tables for copying has every table and every column of the schema")
    func tables() async throws {
        let database = try await Self.open()
        try await Migrations.run(on: database)
        let rows = try await database.read {
            try $0.rows(
                """
                SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()
                """)
        }
        var found: [String: Set<String>] = [:]
        for row in rows { found[try row.text("table_name"), default: []].insert(try row.text("column_name")) }
        for own in ["schema_migration", "commit_marker"] { found[own] = nil }
        let listed = Dictionary(uniqueKeysWithValues: Table.all.map { ($0.name, Set($0.columnNames)) })
        #expect(found == listed)
    }

    @Test("Every column of text is compared by its bytes, whatever the database's language")
    func collation() async throws {
        let database = try await Self.open()
        try await Migrations.run(on: database)
        let others = try await database.read {
            try $0.rows(
                """
                SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
                """)
        }
        #expect(try others.map { try $0.text("table_name") + "." + $0.text("column_name") }.isEmpty)
    }

    @Test("Two tenants in one database see nothing of each other")
    func schemas() async throws {
        let (first, second) = (try await Self.open(), try await Self.open())
        for database in [first, second] { try await Migrations.run(on: database) }
        try await first.write { try TenantStore.configurationChanged(in: $0) }
        #expect(try await Stores(database: first).tenant.configurationVersion() == 2)
        #expect(try await Stores(database: second).tenant.configurationVersion() == 1)
    }

    @Test("Other nodes hear of a change once it is committed, and of none that is undone")
    func announcements() async throws {
        let address = try await TemporaryPostgres.newSchema()
        let (node, other) = (try await PostgresDatabase.open(address), try await PostgresDatabase.open(address))
        try await Migrations.run(on: node)
        let foreign = try await Self.open()
        try await Migrations.run(on: foreign)
        let heard = Mutex(0)
        let (beginnings, begun) = AsyncStream.makeStream(of: Int.self)
        let listening = Task {
            for await _ in other.configurationChanges() {
                let count = heard.withLock { heard in
                    heard += 1
                    return heard
                }
                begun.yield(count)
            }
        }
        var counts = beginnings.makeAsyncIterator()
        // The first stands for what may have been missed before the connection was there.
        #expect(await counts.next() == 1)
        struct Undone: Error {}
        await #expect(throws: Undone.self) {
            try await node.write {
                try TenantStore.configurationChanged(in: $0)
                throw Undone()
            }
        }
        try await foreign.write { try TenantStore.configurationChanged(in: $0) }
        try await node.write { try TenantStore.configurationChanged(in: $0) }
        #expect(await counts.next() == 2)
        #expect(heard.withLock(\.self) == 2)
        listening.cancel()
    }

    @Test("A statement that takes too long, and a lock that is held for too long, are given up with the mend")
    func timeouts() async throws {
        let url = try await TemporaryPostgres.url() + "?schema=test-timeouts"
        let address = try PostgresAddress(url, statementTimeout: .seconds(2), lockTimeout: .seconds(1))
        let database = try await PostgresDatabase.open(address)
        try await Migrations.run(on: database)
        let slow = await #expect(throws: SQLError.self) {
            try await database.read { try $0.rows("SELECT pg_sleep(20)") }
        }
        #expect("\(String(describing: slow))".contains("took too long"))
        let (started, isHeld) = AsyncStream.makeStream(of: Void.self)
        let mayEnd = DispatchSemaphore(value: 0)
        async let held: Void = database.write { transaction in
            _ = try transaction.changes("UPDATE tenant SET id = 1")
            isHeld.yield()
            // A thread of the driver's own waits here.
            mayEnd.wait()
        }
        for await _ in started { break }
        let locked = await #expect(throws: SQLError.self) {
            try await database.write { try $0.execute("UPDATE tenant SET id = 1") }
        }
        #expect("\(String(describing: locked))".contains("held a lock"))
        mayEnd.signal()
        try await held
        try await database.write { try $0.execute("UPDATE tenant SET id = 1") }
    }

    @Test("Callers wait for a connection in turn; none blocks a thread of Swift's")
    func boundedPool() async throws {
        let database = try await PostgresDatabase.open(TemporaryPostgres.newSchema(connections: 2))
        let clock = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Many more than there are threads to run tasks on.
            for _ in 0..<40 { group.addTask { _ = try await database.read { try $0.rows("SELECT pg_sleep(0.05)") } } }
            try await group.waitForAll()
        }
        #expect(clock.duration(to: .now) > .milliseconds(900))
        let rows = try await database.read {
            try $0.rows(
                "SELECT COUNT(*) AS open FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%pg_sleep(0.05)%'"
            )
        }
        #expect(try rows[0].integer("open") <= 2)
    }

    @Test("Migrations and copies may take longer than a request's statement, and keep others waiting that long")
    func patience() async throws {
        let url = try await TemporaryPostgres.url() + "?schema=test-patience"
        let address = try PostgresAddress(url, statementTimeout: .seconds(1), lockTimeout: .seconds(1))
        let database = try await PostgresDatabase.open(address)
        async let first: Void = database.write { transaction in
            try transaction.lock(.migration)
            // Travels with the commit.
            try transaction.execute("SELECT pg_sleep(4)")
        }
        async let second: Void = database.write { try $0.lock(.migration) }
        async let other: Void = database.write { try $0.lock(.configuration) }
        _ = try await (first, second, other)
    }

    @Test("Where the server lets in fewer than the pool would have, callers share those")
    func fullServer() async throws {
        let owner = try await Self.open()
        let role = "few_\(UUID().uuidString.prefix(8).lowercased())"
        let schema = "test-few-\(UUID().uuidString.prefix(8))"
        for statement in [
            "CREATE ROLE \(role) LOGIN CONNECTION LIMIT 2", "CREATE SCHEMA \"\(schema)\" AUTHORIZATION \(role)",
        ] {
            // The names are this test's own.
            try await owner.write { try $0.execute(SQL(stringLiteral: statement)) }
        }
        let url = try await TemporaryPostgres.url().replacing("portico@", with: "\(role)@") + "?schema=\(schema)"
        let database = try await PostgresDatabase.open(PostgresAddress(url, connections: 8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<60 { group.addTask { _ = try await database.read { try $0.rows("SELECT pg_sleep(0.01)") } } }
            try await group.waitForAll()
        }
    }

    @Test("A migration of another node does not disturb statements that were prepared before it")
    func changedSchema() async throws {
        let address = try await TemporaryPostgres.newSchema(connections: 1)
        let (node, other) = (try await PostgresDatabase.open(address), try await PostgresDatabase.open(address))
        try await node.write { try $0.execute("CREATE TABLE scratch (id BIGINT PRIMARY KEY)") }
        for _ in 0..<8 { _ = try await node.read { try $0.rows("SELECT * FROM scratch WHERE id = \(1)") } }
        try await other.write { try $0.execute("ALTER TABLE scratch ADD COLUMN words TEXT") }
        try await other.write { try $0.execute("INSERT INTO scratch (id, words) VALUES (1, 'new')") }
        let row = try await node.read { try $0.row("SELECT * FROM scratch WHERE id = \(1)") }
        #expect(row?.optionalText("words") == "new")
    }

    @Test(
        "What keeps the server from being reached comes with its mend",
        arguments: [
            ("postgres://portico@127.0.0.1:1/portico", "Start PostgreSQL"),
            ("postgres://portico@127.0.0.1:PORT/missing", "CREATE DATABASE"),
            ("postgres://nobody@127.0.0.1:PORT/portico", "CREATE ROLE"),
            ("postgres://portico@no-such-host.invalid:PORT/portico", "host's name"),
            ("postgres://portico@127.0.0.1:PORT/portico?sslmode=require", "ssl on"),
            ("postgres://portico@127.0.0.1:PORT/portico?options=-cdefault_transaction_read_only%3Don", "read-only"),
        ])
    func unreachable(url: String, mend: String) async throws {
        let url = url.replacing("PORT", with: "\(try await TemporaryPostgres.port())")
        let error = await #expect(throws: SQLError.self) { try await PostgresDatabase.open(PostgresAddress(url)) }
        guard case .unavailable(let text)? = error else {
            Issue.record("\(String(describing: error)) is not SQLError.unavailable")
            return
        }
        #expect(text.contains(mend))
    }

    @Test("Of several hosts the one that can be written to is used")
    func severalHosts() async throws {
        let port = try await TemporaryPostgres.port()
        let address = try PostgresAddress(
            "postgres://portico@127.0.0.1:1,127.0.0.1:\(port)/portico?schema=test-hosts-\(UUID().uuidString.prefix(8))")
        let database = try await PostgresDatabase.open(address)
        #expect(try await Migrations.run(on: database).count == Migrations.newest)
    }

    @Test("A user without the right to make a schema is told what to grant")
    func privileges() async throws {
        let owner = try await Self.open()
        let role = "poor_\(UUID().uuidString.prefix(8).lowercased())"
        // The role's name is this test's own.
        try await owner.write { try $0.execute(SQL(stringLiteral: "CREATE ROLE \(role) LOGIN")) }
        let url = try await TemporaryPostgres.url().replacing("portico@", with: "\(role)@")
        let error = await #expect(throws: SQLError.self) {
            try await PostgresDatabase.open(PostgresAddress(url + "?schema=test-poor"))
        }
        #expect("\(String(describing: error))".contains("GRANT CREATE ON DATABASE"))
    }
}

@Suite("The address of a PostgreSQL database")
struct PostgresAddressTests {
    @Test("Its description has no password, whatever stands in it")
    func description() throws {
        for url in [
            "postgres://ada:se%40cret@db.example.com:5432/portico?schema=acme&sslmode=verify-full",
            "postgresql://ada:p@db.example.com/portico?password=secret&schema=acme",
            "postgres://ada:se?cret@db.example.com/portico?schema=acme",
            "postgres:///portico?host=db.example.com&schema=acme",
        ] {
            let address = try PostgresAddress(url)
            #expect(address.schema == "acme")
            #expect(address.description.contains("db.example.com") && address.description.contains("acme"))
            #expect(!address.description.contains("secret") && !address.description.contains(":p@"))
            #expect(!"\(address)".contains("cret") && !"\(address)".contains("password"))
        }
    }

    @Test("The schema is 'portico' where none is given")
    func standardSchema() throws {
        #expect(try PostgresAddress("postgres://localhost/portico").schema == "portico")
        #expect(try PostgresAddress("postgres://localhost/portico?sslmode=disable").schema == "portico")
    }

    @Test(
        "What is no address is refused, without repeating it",
        arguments: [
            "mysql://localhost/portico", "postgres://localhost/portico?schema=a;b",
            "postgres://localhost/portico?schema=",
            "postgres://localhost/portico?schema=pg_catalog", "postgres://localhost/portico?nonsense=1",
            "postgres://u:hunter2@localhost/x?nonsense=1", "postgres://u:hunter%ss@h/x", "postgres://u:hunter2@[::1/x",
            "postgres://u:hunter2@[::1]x/x", "postgres://u:a@hunter2@h/x", "postgres://u:ab/hunter2@h/x",
            "postgres://u:hunter2/cd@h/x", "postgres://u:12/hunter2@h/x", "postgres://u@h:hunter2/x",
        ])
    func refused(url: String) {
        let error = #expect(throws: PostgresAddress.Problem.self) { try PostgresAddress(url) }
        #expect(error?.description.contains("hunter2") == false)
    }
}
