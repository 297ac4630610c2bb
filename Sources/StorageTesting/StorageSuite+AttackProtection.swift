import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let attackProtection: [Behaviour] = [
        Behaviour("an allowance comes back one by one, and of attempts at once each is another one", allowance),
        Behaviour("failures that come to a block are found, and taken away", blocks),
        Behaviour("a section of the settings comes back as it was written, and is standard before", sections),
        Behaviour("logins and sign-ups are counted by day", statistics),
        Behaviour("what applications note with sessions and refresh tokens comes back", notes),
    ]

    private static func allowance(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        let (allowance, now) = (SuspiciousIPThrottling.Allowance(most: 3, rate: 1000), Sample.now)
        let taken = try await race(8) { index in
            try await nodes[index % 2].write { try RateLimitStore.take("a", allowance, at: now, in: $0) }
        }
        #expect(taken.count(where: \.self) == 3)
        func isExhausted(_ subject: String, after seconds: Double) async throws -> Bool {
            try await nodes[0].read {
                try RateLimitStore.isExhausted(subject, allowance, at: now + seconds, in: $0)
            }
        }
        #expect(try await isExhausted("a", after: 0.999))
        #expect(try await !isExhausted("a", after: 1))
        #expect(try await !isExhausted("b", after: 0))
        for _ in 1...4 { try await nodes[0].write { try RateLimitStore.count("b", allowance, at: now, in: $0) } }
        #expect(try await isExhausted("b", after: 1))
        #expect(try await !isExhausted("b", after: 2))
        #expect(try await nodes[0].write { try RateLimitStore.clear("b", in: $0) })
        #expect(try await !isExhausted("b", after: 0))
    }

    private static func blocks(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        for (digest, address, failures) in [("d", "192.0.2.1", 2), ("d", "*", 3), ("e", "192.0.2.1", 1)] {
            for _ in 0..<failures {
                try await database.write { transaction in
                    _ = try FailedLoginStore.takeAttempt(
                        identifierDigest: digest, address: address, most: 2, at: now, in: transaction)
                }
            }
        }
        func blocked(at date: Date) async throws -> [String] {
            try await database.read {
                try FailedLoginStore.blocked(["d", "e", "f"], most: 2, at: date, in: $0).map(\.address)
            }
        }
        #expect(try await Set(blocked(at: now)) == ["192.0.2.1", "*"])
        #expect(try await blocked(at: now + FailedLoginStore.blockLifetime).isEmpty)
        try await database.write { try FailedLoginStore.clear(identifierDigest: "d", in: $0) }
        #expect(try await blocked(at: now).isEmpty)
    }

    private static func sections(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        #expect(try await database.read { try TenantSectionStore.all(in: $0) } == TenantSections())
        let branding = try Branding().changed(by: ["colors": ["primary": "#123456"], "logo_url": "https://a.example/b"])
        let protection = try BruteForceProtection().changed(by: ["allowlist": ["2001:db8::/32"], "enabled": false])
        for _ in 1...2 {
            try await database.write { transaction in
                try TenantSectionStore.save(branding, in: transaction)
                try TenantSectionStore.save(protection, in: transaction)
            }
        }
        let found = try await database.read { try TenantSectionStore.all(in: $0) }
        #expect(found.branding == branding && found.bruteForce == protection)
    }

    private static func statistics(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let day = Date(timeIntervalSince1970: 20_000 * 86_400)
        for (type, offset) in [
            (LogEventType.login, 0.0), (.login, 86_399), (.signup, 5), (.failedLogin, 7), (.login, 86_400),
        ] as [(LogEventType, Double)] {
            try await append([LogEvent(type, at: day + offset)], at: day + offset, to: database)
        }
        let days = try await database.read { try TenantStatistics.daily(from: day, through: day, in: $0) }
        #expect(days.map(\.date) == [day] && days.first?.logins == 2 && days.first?.signups == 1)
        let both = try await database.read {
            try TenantStatistics.daily(from: day, through: day + 86_400, in: $0)
        }
        #expect(both.map(\.logins) == [2, 1])
        try await database.write { try UserStore.recordLogin(of: Sample.userID, at: day, in: $0) }
        #expect(try await database.read { try TenantStatistics.activeUsers(since: day, in: $0) } == 1)
        #expect(try await database.read { try TenantStatistics.activeUsers(since: day + 1, in: $0) } == 0)
    }

    private static func notes(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let session = Sample.session("s")
        try await database.write { try SessionStore.insert(session, in: $0) }
        let before = try await database.read { try SessionStore.find(sid: session.sid, in: $0) }
        #expect(before?.metadata == [:])
        try await database.write { try SessionStore.setMetadata(["device": "tablet"], of: session.sid, in: $0) }
        let after = try await database.read { try SessionStore.find(sid: session.sid, in: $0) }
        #expect(after?.metadata == ["device": "tablet"])
    }
}
