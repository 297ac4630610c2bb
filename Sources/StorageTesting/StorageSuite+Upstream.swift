import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let upstream: [Behaviour] = [
        Behaviour("a return from a provider is taken once, however many try", returnIsTakenOnce),
        Behaviour("a return is for the browser that left, and for a while", returnIsBound),
        Behaviour("a browser that leaves often loses its oldest login", browserLosesTheOldest),
        Behaviour("people of other providers may share an address, those of a database not", addressesMayBeShared),
        Behaviour("the provider's tokens go with their account", tokensGoWithTheAccount),
        Behaviour("a connection that is removed leaves nobody who was just signing up", removalOverlooksNobody),
    ]

    private static func transaction(
        _ digest: String, browser: String = "browser", at time: Date = Sample.now
    ) -> UpstreamTransaction {
        UpstreamTransaction(
            digest: digest, browserDigest: browser, connectionID: "con_1", sealedMemory: "sealed", createdAt: time,
            expiresAt: time + 1800)
    }

    private static func take(
        _ digest: String, browser: String = "browser", at time: Date = Sample.now, in database: any SQLDatabase
    ) async throws -> UpstreamTransaction? {
        try await database.write { transaction in
            try UpstreamTransactionStore.take(
                digest: digest, browserDigest: browser, at: time, in: transaction)
        }
    }

    private static func removalOverlooksNobody(_ suite: StorageSuite) async throws {
        let databases = try await suite.openTwice()
        try await Migrations.run(on: databases[0])
        for round in 0..<5 {
            try await databases[0].write {
                try ConnectionStore.save(Connection(id: "con_race", name: "race", strategy: "github"), in: $0)
            }
            _ = try await race(8) { index in
                try await databases[index % 2].write { transaction in
                    guard try ConnectionStore.hold(id: "con_race", in: transaction) else { return }
                    if index == 3 {
                        try UserStore.deleteAll(connection: "race", in: transaction)
                        try ConnectionStore.delete(name: "race", in: transaction)
                    } else {
                        let user = User(
                            id: "github|race|\(round)-\(index)", connection: "race", email: nil, createdAt: Sample.now)
                        try UserStore.insert(user, passwordHash: nil, in: transaction)
                    }
                }
            }
            #expect(try await Stores(database: databases[0]).connections.find(name: "race") == nil)
            let left = try await Sample.count(
                "SELECT COUNT(*) AS rows FROM user_account WHERE connection = 'race'", in: databases[0])
            #expect(left == 0)
        }
    }

    private static func returnIsTakenOnce(_ suite: StorageSuite) async throws {
        let databases = try await suite.openTwice()
        try await Migrations.run(on: databases[0])
        try await databases[0].write { try UpstreamTransactionStore.insert(transaction("a"), in: $0) }
        let taken = try await race(8) { try await take("a", in: databases[$0 % 2]) != nil }
        #expect(taken.filter { $0 }.count == 1)
    }

    private static func returnIsBound(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write { try UpstreamTransactionStore.insert(transaction("a"), in: $0) }
        #expect(try await take("a", browser: "other", in: database) == nil)
        #expect(try await take("a", at: Sample.now + 1800, in: database) == nil)
        let found = try #require(try await take("a", at: Sample.now + 1799, in: database))
        #expect(found.connectionID == "con_1" && found.sealedMemory == "sealed")
        try await database.write { try UpstreamTransactionStore.insert(transaction("b"), in: $0) }
        _ = try await Stores(database: database).expiredRows.deleteBatch(at: Sample.now + 1800)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM upstream_transaction", in: database) == 0)
    }

    private static func browserLosesTheOldest(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        for index in 0...UpstreamTransactionStore.mostPerBrowser {
            let next = transaction("\(index)", at: Sample.now + Double(index))
            try await database.write { try UpstreamTransactionStore.insert(next, in: $0) }
        }
        #expect(try await take("0", in: database) == nil)
        #expect(try await take("1", in: database) != nil)
    }

    private static func addressesMayBeShared(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        for id in ["github|1", "github|2"] {
            try await database.write {
                try UserStore.insert(Sample.user(id, email: "ada@example.com"), passwordHash: nil, in: $0)
            }
        }
        await #expect(throws: SQLError.self) {
            try await database.write {
                try UserStore.insert(Sample.user("auth0|2", email: "ada@example.com"), passwordHash: nil, in: $0)
            }
        }
    }

    private static func tokensGoWithTheAccount(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let found = try await database.write { transaction in
            try UserStore.saveUpstreamTokens("first", of: Sample.userID, in: transaction)
            try UserStore.saveUpstreamTokens("second", of: Sample.userID, in: transaction)
            return try UserStore.upstreamTokens(of: [Sample.userID, "nobody"], in: transaction)
        }
        #expect(found == [Sample.userID: "second"])
        try await database.write { try UserStore.delete(Sample.userID, in: $0) }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM upstream_token", in: database) == 0)
    }
}
