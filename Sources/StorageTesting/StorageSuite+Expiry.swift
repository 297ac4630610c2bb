import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let expiry: [Behaviour] = [
        Behaviour("a sweep removes what has expired, and nothing else", sweepRemovesTheExpired),
        Behaviour("a sweep is bounded, and says whether there is more", sweepIsBounded),
    ]

    private static let tables: [SQL] = [
        "SELECT COUNT(*) AS rows FROM login_transaction", "SELECT COUNT(*) AS rows FROM authorization_code",
        "SELECT COUNT(*) AS rows FROM access_token",
        "SELECT COUNT(*) AS rows FROM refresh_token_family", "SELECT COUNT(*) AS rows FROM refresh_token",
        "SELECT COUNT(*) AS rows FROM failed_login", "SELECT COUNT(*) AS rows FROM pushed_request",
        "SELECT COUNT(*) AS rows FROM used_assertion",
        "SELECT COUNT(*) AS rows FROM device_code", "SELECT COUNT(*) AS rows FROM revoked_authorization",
        "SELECT COUNT(*) AS rows FROM userinfo_claims",
    ]

    private static func sweepRemovesTheExpired(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (now, day) = (Sample.now, 86_400.0)
        try await database.write { transaction in
            for (name, end) in [("past", now), ("future", now + 1)] {
                try LoginTransactionStore.insert(Sample.login(name, at: end - 3600), in: transaction)
                try AuthorizationCodeStore.insert(Sample.code(name, expiresAt: end - day), in: transaction)
                try DeviceCodeStore.insert(deviceCode(name, expiresAt: end - day), in: transaction)
                try AccessTokenStore.insert(Sample.accessToken(name, expiresAt: end), in: transaction)
                #expect(
                    try UsedAssertionStore.use(
                        .clientAssertion, issuer: "client", id: name, expiresAt: end, in: transaction))
                try UserInfoClaimsStore.save(["a": 1], of: name, expiresAt: end, in: transaction)
                try PushedAuthorizationRequestStore.insert(Sample.pushedRequest(name, expiresAt: end), in: transaction)
                try RefreshTokenStore.insert(
                    Sample.family(name, expiresAt: end), firstToken: name, at: now - day, in: transaction)
                try RefreshTokenStore.revoke(
                    authorizationID: name, at: end - RevokedAuthorizationStore.lifetime, in: transaction)
                _ = try FailedLoginStore.takeAttempt(
                    identifierDigest: name, address: "192.0.2.1", most: 10, at: end - FailedLoginStore.blockLifetime,
                    in: transaction)
            }
            try RefreshTokenStore.insert(
                Sample.family("endless", expiresAt: nil), firstToken: "endless", at: now, in: transaction)
        }
        #expect(try await Stores(database: database).expiredRows.deleteBatch(at: now) == false)
        var counts: [Int] = []
        for table in tables { counts.append(try await Sample.count(table, in: database)) }
        #expect(counts == [1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1])
    }

    private static func sweepIsBounded(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (batch, sweep) = (ExpiredRowsStore.batch, Stores(database: database).expiredRows)
        try await database.write { transaction in
            for index in 0..<(2 * batch + 50) {
                try AccessTokenStore.insert(
                    Sample.accessToken("a\(index)", expiresAt: Sample.now - 1), in: transaction)
            }
        }
        for (left, mayHoldMore) in [(batch + 50, true), (50, true), (0, false)] {
            #expect(try await sweep.deleteBatch(at: Sample.now) == mayHoldMore)
            #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM access_token", in: database) == left)
        }
    }
}
