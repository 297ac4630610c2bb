import Foundation
import Storage
import Testing

extension StorageSuite {
    static let passwordless: [Behaviour] = [
        Behaviour("A code that was sent counts once, and three tries make it void", codeTries),
        Behaviour("Of those who use a code at the same time one succeeds", codeRace),
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

    private static func codeRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await save("code", database)
        let verdicts = try await race(6) { _ in try await redeem("code", database) }
        #expect(verdicts.filter { $0 == .right }.count == 1, "\(verdicts)")
    }
}
