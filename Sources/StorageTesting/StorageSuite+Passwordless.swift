import Foundation
import Storage
import Testing

extension StorageSuite {
    static let passwordless: [Behaviour] = [
        Behaviour("A code that was sent counts once, and three tries make it void", codeTries),
        Behaviour("Of those who use a code at the same time one succeeds", codeRace),
        Behaviour("A link counts once, until it ends, and no code makes it count", links),
        Behaviour("Of a code and a link for the same place the newest alone counts", newestProof),
    ]

    private static let moment = Date(milliseconds: 1_780_000_000_000)

    private static func save(_ code: String, _ database: any SQLDatabase) async throws {
        try await database.write { transaction in
            try PasswordlessCodeStore.save(
                subject: "somebody", code: code, expiresAt: moment.addingTimeInterval(60), in: transaction)
        }
    }

    private static func redeem(
        _ code: String, _ database: any SQLDatabase, after seconds: TimeInterval = 0
    ) async throws -> PasswordlessCodeStore.Verdict {
        try await database.write { transaction in
            try PasswordlessCodeStore.redeem(
                subject: "somebody", code: code, at: moment.addingTimeInterval(seconds), in: transaction)
        }
    }

    private static func codeTries(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await save("old", database)
        try await save("new", database)
        #expect(try await redeem("old", database) == .wrong)
        #expect(try await redeem("new", database, after: 60) == .none)
        #expect(try await redeem("new", database) == .right)
        #expect(try await redeem("new", database) == .none)
        try await save("new", database)
        for _ in 0..<3 { #expect(try await redeem("old", database) == .wrong) }
        #expect(try await redeem("new", database) == .none)
    }

    private static func saveLink(_ digest: String, _ database: any SQLDatabase) async throws {
        try await database.write { transaction in
            try PasswordlessCodeStore.save(
                subject: "somebody", code: digest, sealedLink: "sealed", expiresAt: moment.addingTimeInterval(60),
                in: transaction)
        }
    }

    private static func redeemLink(
        _ digest: String, _ database: any SQLDatabase, after seconds: TimeInterval = 0
    ) async throws -> PasswordlessCodeStore.Verdict {
        try await database.write { transaction in
            try PasswordlessCodeStore.redeemLink(
                digest: digest, at: moment.addingTimeInterval(seconds), in: transaction)
        }
    }

    private static func links(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await saveLink("link", database)
        func sealed(_ digest: String, after seconds: TimeInterval = 0) async throws -> String? {
            try await database.readOnce { transaction in
                try PasswordlessCodeStore.sealedLink(
                    digest: digest, at: moment.addingTimeInterval(seconds), in: transaction)
            }
        }
        #expect(try await sealed("link") == "sealed")
        #expect(try await sealed("link", after: 60) == nil)
        #expect(try await sealed("other") == nil)
        #expect(try await redeemLink("other", database) == .none)
        #expect(try await redeemLink("link", database, after: 60) == .none)
        let verdicts = try await race(6) { _ in try await redeemLink("link", database) }
        #expect(verdicts.filter { $0 == .right }.count == 1, "\(verdicts)")
        #expect(try await sealed("link") == nil)
        try await save("code", database)
        #expect(try await redeemLink("code", database) == .none)
        #expect(try await sealed("code") == nil)
    }

    private static func newestProof(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await save("code", database)
        try await saveLink("link", database)
        #expect(try await redeem("code", database) == .wrong)
        try await save("newer", database)
        #expect(try await redeemLink("link", database) == .none)
        #expect(try await redeem("newer", database) == .right)
    }

    private static func codeRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await save("code", database)
        let verdicts = try await race(6) { _ in try await redeem("code", database) }
        #expect(verdicts.filter { $0 == .right }.count == 1, "\(verdicts)")
    }
}
