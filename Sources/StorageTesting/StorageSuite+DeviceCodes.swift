import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let deviceCodes: [Behaviour] = [
        Behaviour("a device's request is found by either code while it waits", deviceCodeIsFound),
        Behaviour("two devices never have the same user code", userCodesAreUnique),
        Behaviour("a poll that comes too early lengthens the interval", earlyPolls),
        Behaviour("a device is let in once, and by its first user", deviceIsLetInOnce),
        Behaviour("a device that is turned away, or comes late, stays outside", deviceStaysOutside),
        Behaviour("of fifty polls at once for a device let in, one redeems", deviceRace),
    ]

    static func deviceCode(_ digest: String, expiresAt: Date = Sample.now + 900) -> DeviceCode {
        DeviceCode(
            digest: digest, userCodeDigest: "user code of \(digest)", authorizationID: "authorization of \(digest)",
            clientID: Sample.clientID, scope: Scope(["openid", "read:notes"]), audience: Sample.audience,
            expiresAt: expiresAt)
    }

    private static let approval = DeviceCode.Approval(
        userID: Sample.userID, scope: Scope(["openid"]), sid: "sid", authenticatedAt: Sample.now)

    private static func waiting(_ suite: StorageSuite, _ digests: String...) async throws -> any SQLDatabase {
        let database = try await suite.prepared()
        try await database.write { transaction in
            for digest in digests { try DeviceCodeStore.insert(deviceCode(digest), in: transaction) }
        }
        return database
    }

    private static func poll(
        _ digest: String, clientID: String = Sample.clientID, after seconds: TimeInterval = 0,
        in database: any SQLDatabase
    ) async throws -> DeviceCodeStore.Poll {
        try await database.write { transaction in
            try DeviceCodeStore.poll(
                digest: digest, clientID: clientID, at: Sample.now + seconds, in: transaction)
        }
    }

    private static func deviceCodeIsFound(_ suite: StorageSuite) async throws {
        let database = try await waiting(suite, "d")
        let store = Stores(database: database).deviceCodes
        let found = [
            try await store.find(digest: "d", at: Sample.now),
            try await store.find(userCodeDigest: "user code of d", at: Sample.now + 899),
        ]
        for code in found {
            #expect(code?.digest == "d" && code?.authorizationID == "authorization of d")
            #expect(code?.clientID == Sample.clientID && code?.audience == Sample.audience)
            #expect(code?.scope == Scope(["openid", "read:notes"]) && code?.approval == nil)
            #expect(code?.expiresAt == (Sample.now + 900).storable)
        }
        #expect(try await store.find(digest: "d", at: Sample.now + 900) == nil)
        #expect(try await store.find(userCodeDigest: "d", at: Sample.now) == nil)
        try await database.write { _ = try DeviceCodeStore.approve(digest: "d", approval, at: Sample.now, in: $0) }
        #expect(try await store.find(userCodeDigest: "user code of d", at: Sample.now) == nil)
    }

    private static func userCodesAreUnique(_ suite: StorageSuite) async throws {
        let database = try await waiting(suite, "d")
        let error = await failure {
            try await database.write { transaction in
                let same = DeviceCode(
                    digest: "e", userCodeDigest: "user code of d", authorizationID: "e", clientID: Sample.clientID,
                    scope: .empty, audience: nil, expiresAt: Sample.now)
                try DeviceCodeStore.insert(same, in: transaction)
            }
        }
        #expect(isUniqueViolation(error))
    }

    private static func earlyPolls(_ suite: StorageSuite) async throws {
        let database = try await waiting(suite, "d")
        guard case .pending = try await poll("d", in: database),
            case .refused = try await poll("d", clientID: "other", after: 1, in: database),
            case .tooEarly(10) = try await poll("d", after: 4, in: database),
            case .tooEarly(15) = try await poll("d", after: 13, in: database),
            case .pending = try await poll("d", after: 28, in: database),
            case .pending = try await poll("d", after: 43, in: database)
        else {
            Issue.record("The interval is not kept")
            return
        }
    }

    private static func deviceIsLetInOnce(_ suite: StorageSuite) async throws {
        let database = try await waiting(suite, "d")
        let other = DeviceCode.Approval(userID: "other", scope: .empty, sid: "", authenticatedAt: Sample.now)
        let counted = try await database.write { transaction in
            try [approval, other].map {
                try DeviceCodeStore.approve(digest: "d", $0, at: Sample.now, in: transaction)
            }
        }
        #expect(counted == [true, false])
        #expect(try await database.write { try DeviceCodeStore.deny(digest: "d", at: Sample.now, in: $0) } == false)
        guard case .refused = try await poll("d", clientID: "other", in: database),
            case .redeemed(let code, let given) = try await poll("d", in: database)
        else {
            Issue.record("The device does not get in")
            return
        }
        #expect(code.authorizationID == "authorization of d" && code.audience == Sample.audience)
        #expect(given.userID == Sample.userID && given.scope == Scope(["openid"]) && given.sid == "sid")
        #expect(given.authenticatedAt == Sample.now.storable)
        guard case .refused = try await poll("d", in: database) else {
            Issue.record("The device gets in twice")
            return
        }
    }

    private static func deviceStaysOutside(_ suite: StorageSuite) async throws {
        let database = try await waiting(suite, "denied", "late", "never")
        let decided = try await database.write { transaction in
            [
                try DeviceCodeStore.deny(digest: "denied", at: Sample.now, in: transaction),
                try DeviceCodeStore.approve(digest: "denied", approval, at: Sample.now, in: transaction),
                try DeviceCodeStore.approve(digest: "late", approval, at: Sample.now, in: transaction),
                try DeviceCodeStore.approve(digest: "never", approval, at: Sample.now + 900, in: transaction),
            ]
        }
        #expect(decided == [true, false, true, false])
        for _ in 0..<2 {
            guard case .denied = try await poll("denied", in: database),
                case .expired = try await poll("late", after: 900, in: database),
                case .expired = try await poll("never", after: 900, in: database),
                case .refused = try await poll("unknown", in: database)
            else {
                Issue.record("A device gets in")
                return
            }
        }
    }

    private static func deviceRace(_ suite: StorageSuite) async throws {
        let database = try await waiting(suite, "d")
        try await database.write { _ = try DeviceCodeStore.approve(digest: "d", approval, at: Sample.now, in: $0) }
        let redeemed = try await race(50) { _ in
            if case .redeemed = try await poll("d", in: database) { true } else { false }
        }
        #expect(redeemed.count { $0 } == 1)
    }
}
