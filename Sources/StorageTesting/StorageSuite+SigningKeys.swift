import Foundation
import Storage
import Testing

extension StorageSuite {
    static let signingKeys: [Behaviour] = [
        Behaviour("of each kind, one signing key is current and one next", oneOfEachKind),
        Behaviour("first keys are inserted for kinds that have none", firstKeys),
        Behaviour("two nodes that make the first keys at once make one pair", nodesMakeFirstKeys),
    ]

    private static func oneOfEachKind(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let store = Stores(database: database).signingKeys
        let first = SigningKey.Kind.allCases.flatMap { kind in
            [Sample.key("\(kind) 1", .current, kind), Sample.key("\(kind) 2", .next, kind)]
        }
        try await database.write { for key in first { try SigningKeyStore.insert(key, in: $0) } }
        #expect(try await Set(store.list()) == Set(first))
        for key in first {
            let error = await failure {
                try await database.write { try SigningKeyStore.insert(Sample.key("3", key.state, key.kind), in: $0) }
            }
            #expect(isUniqueViolation(error))
        }
        for number in [3, 4] {
            let keys = [SigningKey.Kind.rsa, .p256].map { Sample.key("\($0) \(number)", .next, $0) }
            try await database.write { try SigningKeyStore.rotate(newNext: keys, in: $0) }
        }
        let states = try await store.list().reduce(into: [:]) { $0[$1.id] = $1.state }
        #expect(
            states == [
                "rsa 1": .previous, "rsa 2": .previous, "rsa 3": .current, "rsa 4": .next,
                "p256 1": .previous, "p256 2": .previous, "p256 3": .current, "p256 4": .next,
                "ed25519 1": .current, "ed25519 2": .next,
            ])
    }

    private static func firstKeys(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        func insertFirst(_ keys: SigningKey...) async throws {
            try await database.write { try SigningKeyStore.insertFirst(keys, in: $0) }
        }
        try await insertFirst(Sample.key("1", .current), Sample.key("2", .next))
        try await insertFirst(
            Sample.key("3", .current), Sample.key("4", .next), Sample.key("5", .current, .ed25519),
            Sample.key("6", .next, .ed25519))
        let ids = try await Stores(database: database).signingKeys.list().map(\.id).sorted()
        #expect(ids == ["1", "2", "5", "6"])
    }

    private static func nodesMakeFirstKeys(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        _ = try await race(8) { index in
            let keys = [SigningKey.State.current, .next].map { Sample.key("\($0) \(index)", $0, .p256) }
            try await nodes[index % 2].write { try SigningKeyStore.insertFirst(keys, in: $0) }
        }
        #expect(try await Stores(database: nodes[0]).signingKeys.list().count == 2)
    }
}
