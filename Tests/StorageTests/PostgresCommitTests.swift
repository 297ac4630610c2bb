import Foundation
import Storage
import StorageTesting
import Testing

@Suite("PostgreSQL: a commit whose answer is lost")
struct PostgresCommitTests {
    /// A database with a counter, reached through a proxy from now on.
    private static func counter(cuts: [CuttingProxy.Cut]) async throws -> (
        PostgresDatabase, PostgresDatabase, CuttingProxy
    ) {
        let direct = try await TemporaryPostgres.newSchema(connections: 2)
        let database = try await PostgresDatabase.open(direct)
        try await database.write { transaction in
            try transaction.execute("CREATE TABLE counter (id BIGINT PRIMARY KEY, number BIGINT NOT NULL)")
            try transaction.execute("INSERT INTO counter (id, number) VALUES (1, 0)")
        }
        let proxy = try CuttingProxy(server: await TemporaryPostgres.port())
        let through = try PostgresAddress(
            "postgres://portico@127.0.0.1:\(proxy.port)/portico?schema=\(direct.schema)&sslmode=disable", connections: 2
        )
        let cutOff = try await PostgresDatabase.open(through)
        proxy.arm(cuts)
        return (database, cutOff, proxy)
    }

    private static func number(_ database: PostgresDatabase) async throws -> Int? {
        try await database.read { try $0.row("SELECT number FROM counter")?.integer("number") }
    }

    @Test(
        "It is looked for, and done once: whether the server got it, never got it, or gets it late",
        arguments: CuttingProxy.Cut.allCases)
    func onceOnly(cut: CuttingProxy.Cut) async throws {
        let (direct, cutOff, proxy) = try await Self.counter(cuts: [cut])
        defer { proxy.stop() }
        try await cutOff.write { try $0.execute("UPDATE counter SET number = number + 1") }
        #expect(proxy.cutsLeft == 0)
        #expect(try await Self.number(direct) == 1)
        // A late commit would come about now.
        try await Task.sleep(for: .milliseconds(cut == .lateCommit ? 1_800 : 0))
        #expect(try await Self.number(direct) == 1)
    }

    @Test("The same in a transaction that has read before, and with cuts one after the other")
    func again() async throws {
        let (direct, cutOff, proxy) = try await Self.counter(cuts: [
            .afterCommit, .beforeCommit, .beforeCommit, .afterCommit,
        ])
        defer { proxy.stop() }
        for round in 1...4 {
            let seen = try await cutOff.write { transaction in
                let before = try transaction.row("SELECT number FROM counter")?.integer("number") ?? -1
                try transaction.execute("UPDATE counter SET number = \(before + 1)")
                return before + 1
            }
            #expect(seen == round)
        }
        #expect(proxy.cutsLeft == 0)
        #expect(try await Self.number(direct) == 4)
    }

    @Test("Connections that the server ends under load cost nobody an answer, and nothing is done twice")
    func terminated() async throws {
        let address = try await TemporaryPostgres.newSchema(connections: 6, parameters: ["application_name=terminated"])
        let database = try await PostgresDatabase.open(address)
        try await database.write { transaction in
            try transaction.execute("CREATE TABLE done (id BIGINT PRIMARY KEY)")
            try transaction.execute("CREATE TABLE counter (id BIGINT PRIMARY KEY, number BIGINT NOT NULL)")
            for id in 0..<8 { try transaction.execute("INSERT INTO counter (id, number) VALUES (\(id), 0)") }
        }
        let killer = try await PostgresDatabase.open(TemporaryPostgres.newSchema(connections: 1))
        let killing = Task {
            while !Task.isCancelled {
                try? await killer.write {
                    _ = try $0.rows(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name = \("terminated") AND random() < 0.3
                        """)
                }
                try? await Task.sleep(for: .milliseconds(80))
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 0..<1500 {
                group.addTask {
                    try await database.write { transaction in
                        try transaction.execute("INSERT INTO done (id) VALUES (\(id))")
                        try transaction.execute("UPDATE counter SET number = number + 1 WHERE id = \(id % 8)")
                    }
                }
            }
            try await group.waitForAll()
        }
        killing.cancel()
        let sum = try await database.read { try $0.row("SELECT SUM(number) AS sum FROM counter")?.integer("sum") }
        #expect(sum == 1500)
    }
}
