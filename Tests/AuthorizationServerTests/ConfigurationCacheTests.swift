import Foundation
import OAuth
import Storage
import Synchronization
import Testing

@testable import AuthorizationServer

@Suite("The configuration in memory")
struct ConfigurationCacheTests {
    private static func rename(_ name: String, on database: any SQLDatabase) async throws {
        try await database.write { transaction in
            var settings = TenantSettings()
            settings.friendlyName = name
            try TenantStore.update(settings, in: transaction)
        }
    }

    private static func save(_ client: Client, on database: any SQLDatabase) async throws {
        try await database.write { transaction in
            try ClientStore.save(
                client, secretDigest: nil, sealedSecret: nil, at: .init(timeIntervalSince1970: 0), in: transaction)
        }
    }

    @Test("A change, by this process or another, is seen after a refresh, and not before")
    func refreshing() async throws {
        let test = try await TestDatabase()
        let other = try await test.anotherConnection()
        let cache = ConfigurationCache(stores: test.stores, box: test.box)
        for (index, database) in [test.database, other, test.database].enumerated() {
            try await Self.rename("name \(index)", on: database)
            try await cache.refresh()
            #expect(try await cache.settings().friendlyName == "name \(index)")
            try await Self.rename("later", on: database)
            #expect(try await cache.settings().friendlyName == "name \(index)")
        }
        try await cache.refresh()
        #expect(try await cache.settings().friendlyName == "later")
    }

    @Test("Clients, APIs, grants and connections follow as well")
    func everything() async throws {
        let test = try await TestDatabase()
        let cache = ConfigurationCache(stores: test.stores, box: test.box)
        let api = ResourceServer(id: "api", name: "API", identifier: "api")
        for name in ["first", "second"] {
            var renamed = api
            renamed.name = name
            let (changed, grantScope) = (renamed, Scope([name]))
            try await Self.save(Client(clientID: "app", name: name), on: test.database)
            try await test.database.write { transaction in
                try ResourceServerStore.save(changed, sealedSigningSecret: nil, in: transaction)
                try ClientGrantStore.save(
                    ClientGrant(id: "cgr", clientID: "app", audience: "api", scope: grantScope), in: transaction)
                var connection = Connection(id: "con", name: "Users", strategy: "auth0")
                connection.displayName = name
                try ConnectionStore.save(connection, in: transaction)
            }
            try await cache.refresh()
            for _ in 0..<2 {
                #expect(try await cache.client("app")?.client.name == name)
                #expect(try await cache.resourceServer("api")?.resourceServer.name == name)
                #expect(try await cache.clientGrant(clientID: "app", audience: "api")?.scope == grantScope)
                #expect(try await cache.connections().map(\.displayName) == [name])
            }
        }
        try await test.database.write { try ClientStore.delete("app", in: $0) }
        try await cache.refresh()
        #expect(try await cache.client("app") == nil)
        #expect(try await cache.clientGrant(clientID: "app", audience: "api") == nil)
    }

    @Test("What is not there is asked for each time: it may come, and nobody fills the memory with it")
    func absence() async throws {
        let test = try await TestDatabase()
        let cache = ConfigurationCache(stores: test.stores, box: test.box)
        try await cache.refresh()
        #expect(try await cache.client("app") == nil)
        try await Self.save(Client(clientID: "app", name: "App"), on: test.database)
        #expect(try await cache.client("app")?.client.name == "App")
    }

    @Test("What was read before a change does not outlive the refresh that noticed it")
    func staleLoad() async throws {
        let test = try await TestDatabase()
        let slow = SlowReads(test.database)
        let cache = ConfigurationCache(stores: Stores(database: slow), box: test.box)
        try await Self.rename("old", on: test.database)
        try await cache.refresh()
        slow.holdNextRead()
        async let loading = cache.settings()
        await slow.untilHeld()
        try await Self.rename("new", on: test.database)
        try await cache.refresh()
        slow.release()
        #expect(try await loading.friendlyName == "old")
        #expect(try await cache.settings().friendlyName == "new")
    }

    @Test("The origins of scripts: callbacks, web origins and allowed origins, in lower case")
    func origins() async throws {
        let test = try await TestDatabase()
        var client = Client(clientID: "app", name: "App")
        client.callbacks = [
            try RegisteredURI("https://App.example.com/cb?x=1"), try RegisteredURI("http://localhost:3000/cb"),
            try RegisteredURI("com.example.app:/cb"),
        ]
        client.webOrigins = ["https://Web.example.com"]
        client.allowedOrigins = ["https://allowed.example.com"]
        try await Self.save(client, on: test.database)
        let origins = try await ConfigurationCache(stores: test.stores, box: test.box).origins()
        #expect(
            origins.isSuperset(of: [
                "https://app.example.com", "http://localhost:3000", "https://web.example.com",
                "https://allowed.example.com",
            ]))
        #expect(!origins.contains("null") && !origins.contains("https://evil.example"))
    }

    @Test("Without a signing key the error says who makes one")
    func noKey() async throws {
        let test = try await TestDatabase()
        let cache = ConfigurationCache(stores: test.stores, box: test.box)
        let error = await #expect(throws: ConfigurationCache.NoSigningKey.self) { try await cache.keyRing() }
        #expect(error?.description.contains("portico serve") == true)
    }
}

/// A database whose answers can be held back after they were read, as a slow disk or a descheduled thread does.
private final class SlowReads: SQLDatabase {
    private let base: any SQLDatabase
    private let isArmed = Mutex(false)
    private let held = AsyncStream.makeStream(of: Void.self)
    private let released = AsyncStream.makeStream(of: Void.self)

    init(_ base: any SQLDatabase) { self.base = base }

    func holdNextRead() { isArmed.withLock { $0 = true } }
    func untilHeld() async { for await _ in held.stream { return } }
    func release() { released.continuation.yield() }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        let mustHold = isArmed.withLock { isArmed in
            defer { isArmed = false }
            return isArmed
        }
        let result = try await base.read(body)
        if mustHold {
            held.continuation.yield()
            for await _ in released.stream { break }
        }
        return result
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await base.write(body)
    }

    func configurationChanges() -> AsyncStream<Void> { base.configurationChanges() }

    func close() throws { try base.close() }
}
