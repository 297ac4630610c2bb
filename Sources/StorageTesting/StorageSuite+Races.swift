import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let races: [Behaviour] = [
        Behaviour("of uses of one assertion on two nodes at once, one is the first", oneUseIsFirst),
        Behaviour("two nodes that redeem one code at once: one does", nodesRaceForACode),
        Behaviour("two nodes that rotate and revoke one family leave a chain or nothing", nodesRotateAndRevoke),
        Behaviour("two nodes that rotate keys at once both do, one after the other", nodesRotateKeys),
        Behaviour("two nodes that count one identifier's failures let through what is left", nodesCountFailures),
        Behaviour("transactions that lock rows crosswise all succeed", crosswiseLocksSucceed),
    ]

    /// Two nodes on one database with today's schema and ``Sample``'s rows.
    func nodes() async throws -> [any SQLDatabase] {
        let nodes = try await openTwice()
        try await Migrations.run(on: nodes[0])
        try await nodes[0].write { try Sample.insert(in: $0) }
        return nodes
    }

    private static func oneUseIsFirst(_ suite: StorageSuite) async throws {
        let nodes = try await suite.openTwice()
        try await Migrations.run(on: nodes[0])
        @Sendable func use(_ node: any SQLDatabase, _ kind: UsedAssertionStore.Kind, _ issuer: String, _ id: String)
            async throws
            -> Bool
        {
            try await node.write {
                try UsedAssertionStore.use(kind, issuer: issuer, id: id, expiresAt: Sample.now, in: $0)
            }
        }
        let first = try await race(20) { index in try await use(nodes[index % 2], .clientAssertion, "a b", "c") }
        #expect(first.count { $0 } == 1)
        #expect(try await use(nodes[0], .clientAssertion, "a", "b c"))
        #expect(try await use(nodes[0], .possession, "a b", "c"))
    }

    private static func nodesRaceForACode(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        for round in 0..<5 {
            try await nodes[0].write { try AuthorizationCodeStore.insert(Sample.code("c\(round)"), in: $0) }
            let redeemed = try await race(50) { index in
                let redemption = try await nodes[index % 2].write {
                    try AuthorizationCodeStore.redeem(
                        digest: "c\(round)", clientID: Sample.clientID, at: Sample.now, in: $0)
                }
                if case .redeemed = redemption { return true }
                if case .refused = redemption { Issue.record("a replay is not told from an unknown code") }
                return false
            }
            #expect(redeemed.count { $0 } == 1)
        }
    }

    private static func nodesRotateAndRevoke(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        for round in 0..<10 {
            let (family, first) = ("f\(round)", "r\(round)")
            try await nodes[0].write {
                try RefreshTokenStore.insert(Sample.family(family), firstToken: first, at: Sample.now, in: $0)
            }
            let rotated = try await race(10) { index in
                try await nodes[index % 2].write { transaction in
                    guard index != 5 else {
                        try RefreshTokenStore.deleteFamily(family, in: transaction)
                        return false
                    }
                    try RefreshTokenStore.lockFamily(ofToken: first, in: transaction)
                    guard let token = try RefreshTokenStore.find(digest: first, in: transaction),
                        token.replacedAt == nil
                    else { return false }
                    // What was read under the lock still holds.
                    let didRotate = try RefreshTokenStore.rotate(
                        token, to: "successor \(round) \(index)", at: Sample.now, in: transaction)
                    #expect(didRotate)
                    return didRotate
                }
            }
            #expect(rotated.count { $0 } <= 1)
        }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM refresh_token", in: nodes[1]) == 0)
    }

    private static func nodesRotateKeys(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        try await nodes[0].write { transaction in
            try SigningKeyStore.insert(Sample.key("current", .current), in: transaction)
            try SigningKeyStore.insert(Sample.key("next", .next), in: transaction)
        }
        _ = try await race(8) { index in
            try await nodes[index % 2].write {
                try SigningKeyStore.rotate(newNext: [Sample.key("new \(index)", .next)], in: $0)
            }
        }
        let states = try await Stores(database: nodes[1]).signingKeys.list().map(\.state)
        #expect(states.count { $0 == .current } == 1 && states.count { $0 == .next } == 1)
        #expect(states.count == 10)
    }

    private static func nodesCountFailures(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        let taken = try await race(50) { index in
            try await nodes[index % 2].write {
                try FailedLoginStore.takeAttempt(
                    identifierDigest: "i", address: "192.0.2.1", most: 10, at: Sample.now, in: $0)
            }
        }
        #expect(taken.count { $0 } == 10)
    }

    private static func crosswiseLocksSucceed(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        try await nodes[0].write { transaction in
            try transaction.execute("CREATE TABLE scratch (id BIGINT PRIMARY KEY, number BIGINT NOT NULL)")
            try transaction.execute("INSERT INTO scratch (id, number) VALUES (1, 0), (2, 0)")
        }
        _ = try await race(4) { index in
            try await nodes[index % 2].write { transaction in
                for id in index % 2 == 0 ? [1, 2] : [2, 1] {
                    _ = try transaction.changes("UPDATE scratch SET number = number + 1 WHERE id = \(id)")
                }
            }
        }
        let rows = try await nodes[1].read { try $0.rows("SELECT number FROM scratch") }
        #expect(try rows.map { try $0.integer("number") } == [4, 4])
    }
}
