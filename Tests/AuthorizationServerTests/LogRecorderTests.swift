import AuthorizationServer
import Foundation
import OAuth
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("The log's writer")
struct LogRecorderTests {
    private static func event(_ number: Int) -> LogEvent {
        LogEvent(.login, at: Date(timeIntervalSince1970: 1_780_000_000), description: "\(number)")
    }

    @Test("Events are written in batches, in the order in which they happened")
    func batches() async throws {
        try await TestServer.run { server in
            let logs = server.services.logs
            for number in 0..<(LogRecorder.batch + 10) { logs.record(Self.event(number)) }
            #expect(await logs.flush().count == LogRecorder.batch)
            #expect(await logs.flush().count == 10)
            #expect(await logs.flush().isEmpty)
            let all = try await server.logEvents()
            #expect(all.map(\.description) == (0..<(LogRecorder.batch + 10)).map { "\($0)" })
        }
    }

    @Test("Beyond its room events are dropped, and those that wait are kept")
    func overflow() async throws {
        try await TestServer.run { server in
            let logs = server.services.logs
            for number in 0..<(LogRecorder.capacity + 5) { logs.record(Self.event(number)) }
            #expect(logs.waitingCount == LogRecorder.capacity)
            #expect(await logs.flush().first?.description == "0")
        }
    }

    @Test("Events wait for a database that is away")
    func outage() async throws {
        try await TestServer.run { server in
            let database = SometimesAway(real: server.services.stores.database)
            let logs = Services(
                issuer: server.services.issuer, stores: Stores(database: database), secret: server.services.secret,
                passwords: server.services.passwords, outbound: SimulatedWeb(), logger: server.services.logger
            ).logs
            for number in 1...3 { logs.record(Self.event(number)) }
            database.setAway(true)
            for _ in 0..<2 {
                #expect(await logs.flush().isEmpty)
                #expect(logs.waitingCount == 3)
            }
            logs.record(Self.event(4))
            database.setAway(false)
            #expect(await logs.flush().map(\.description) == ["1", "2", "3", "4"])
        }
    }
}

/// A database that can be out of reach for a while.
private final class SometimesAway: SQLDatabase {
    private let real: any SQLDatabase
    private let isAway = Mutex(false)

    init(real: any SQLDatabase) { self.real = real }

    func setAway(_ value: Bool) { isAway.withLock { $0 = value } }

    private func check() throws {
        if isAway.withLock({ $0 }) { throw SQLError.unavailable("The database is away.") }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try check()
        return try await real.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try check()
        return try await real.write(body)
    }

    func configurationChanges() -> AsyncStream<Void> { real.configurationChanges() }

    func close() throws { try real.close() }
}
