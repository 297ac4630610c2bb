import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let tokens: [Behaviour] = [
        Behaviour("a code comes back with everything that it stands for", codeIsKept),
        Behaviour("a code is redeemed once, by its client, in its time", codeIsRedeemedOnce),
        Behaviour("of fifty that redeem a code at once, one does", codeRace),
        Behaviour("of fifty that present a pushed request at once, its client gets it once", pushedRequests),
        Behaviour("an access token is found until it expires, and deleted by its client alone", accessTokens),
        Behaviour("a refresh token comes back with its family", refreshTokenIsKept),
        Behaviour("a refresh token rotates once, and its predecessor stays to be recognised", refreshTokenRotates),
        Behaviour("of fifty that rotate a refresh token at once, one does", refreshTokenRace),
        Behaviour("revoking an authorization removes its tokens and no others", revocation),
        Behaviour("a user has 200 refresh tokens for a client at most; the oldest go", refreshTokenLimit),
        Behaviour("a refresh token that is issued is never the one that its own limit removes", newestTokenStays),
        Behaviour("deleting a client removes what was issued to it", clientDeletionCascades),
    ]

    private static func redeem(
        _ digest: String, clientID: String = Sample.clientID, at now: Date = Sample.now, in database: any SQLDatabase
    ) async throws -> AuthorizationCodeStore.Redemption {
        try await database.write { transaction in
            try AuthorizationCodeStore.redeem(digest: digest, clientID: clientID, at: now, in: transaction)
        }
    }

    private static func codeIsKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let code = try Sample.code("c")
        try await database.write { try AuthorizationCodeStore.insert(code, in: $0) }
        guard case .redeemed(let found) = try await redeem("c", in: database) else {
            Issue.record("The code is not redeemed")
            return
        }
        #expect(found.authorizationID == code.authorizationID)
        #expect(found.clientID == code.clientID && found.userID == code.userID)
        #expect(found.redirectURI == code.redirectURI)
        #expect(found.scope == code.scope && found.audience == code.audience && found.nonce == code.nonce)
        #expect(found.proofKey == code.proofKey && found.proofKey != nil)
        #expect(found.claims == code.claims && found.claims != nil)
        #expect(found.sid == code.sid && found.authenticatedAt == code.authenticatedAt)
        #expect(found.showsAuthenticationTime && found.expiresAt == code.expiresAt)
        #expect(found.keyThumbprint == "thumbprint")

        let bare = AuthorizationCode(
            digest: "bare", authorizationID: "a", clientID: Sample.clientID, userID: Sample.userID, redirectURI: nil,
            scope: .empty, audience: nil, nonce: nil, proofKey: nil, sid: "sid", authenticatedAt: Sample.now,
            showsAuthenticationTime: false, expiresAt: Sample.now + 1)
        try await database.write { try AuthorizationCodeStore.insert(bare, in: $0) }
        guard case .redeemed(let least) = try await redeem("bare", in: database) else {
            Issue.record("The bare code is not redeemed")
            return
        }
        #expect(least.redirectURI == nil && least.audience == nil && least.nonce == nil && least.proofKey == nil)
        #expect(least.scope.isEmpty && !least.showsAuthenticationTime && least.keyThumbprint == nil)
    }

    private static func codeIsRedeemedOnce(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write { transaction in
            try AuthorizationCodeStore.insert(Sample.code("c"), in: transaction)
            try AuthorizationCodeStore.insert(Sample.code("late", expiresAt: Sample.now), in: transaction)
            try ClientStore.save(
                Client(clientID: "other", name: "Other"), secretDigest: nil, sealedSecret: nil, at: Sample.now,
                in: transaction)
        }
        for refused in [
            try await redeem("unknown", in: database), try await redeem("late", in: database),
            try await redeem("c", clientID: "other", in: database),
        ] {
            guard case .refused = refused else {
                Issue.record("\(refused) is not a refusal")
                continue
            }
        }
        guard case .redeemed = try await redeem("c", in: database) else {
            Issue.record("Another client's attempt has spent the code")
            return
        }
        // A replay is recognised even after the code's own end, but not as another client's.
        for now in [Sample.now, Sample.now + 86_000] {
            guard case .replayed("authorization of c") = try await redeem("c", at: now, in: database) else {
                Issue.record("The replay is not recognised")
                continue
            }
        }
        guard case .refused = try await redeem("c", clientID: "other", in: database) else {
            Issue.record("Another client learns of the code")
            return
        }
    }

    private static func codeRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write { try AuthorizationCodeStore.insert(Sample.code("c"), in: $0) }
        let results = try await race(50) { _ in
            switch try await redeem("c", in: database) {
            case .redeemed: "redeemed"
            case .replayed(let id): id
            case .refused: "refused"
            }
        }
        #expect(results.count { $0 == "redeemed" } == 1)
        #expect(results.count { $0 == "authorization of c" } == 49)
    }

    private static func pushedRequests(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write {
            try PushedAuthorizationRequestStore.insert(Sample.pushedRequest("r"), in: $0)
        }
        let take = { @Sendable (clientID: String, now: Date) in
            try await database.write {
                try PushedAuthorizationRequestStore.take(digest: "r", clientID: clientID, at: now, in: $0)
            }
        }
        #expect(try await take("another", Sample.now) == nil)
        #expect(try await take(Sample.clientID, Sample.now + 30) == nil)
        let taken = try await withThrowingTaskGroup(
            of: PushedAuthorizationRequest?.self, returning: [PushedAuthorizationRequest].self
        ) { group in
            for _ in 0..<50 { group.addTask { try await take(Sample.clientID, Sample.now) } }
            return try await group.reduce(into: []) { found, request in if let request { found.append(request) } }
        }
        #expect(taken.map(\.parameters) == [Sample.pushedRequest("r").parameters])
    }

    private static func accessTokens(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let tokens = Stores(database: database).accessTokens
        let token = Sample.accessToken("a")
        try await database.write { try AccessTokenStore.insert(token, in: $0) }
        let found = try await tokens.find(digest: "a", at: Sample.now)
        #expect(found?.authorizationID == token.authorizationID)
        #expect(found?.clientID == token.clientID && found?.userID == token.userID)
        #expect(found?.scope == token.scope && found?.expiresAt == token.expiresAt)
        #expect(try await tokens.find(digest: "a", at: token.expiresAt - 0.001) != nil)
        #expect(try await tokens.find(digest: "a", at: token.expiresAt) == nil)
        #expect(try await tokens.find(digest: "b", at: Sample.now) == nil)
        #expect(
            try await database.write { try AccessTokenStore.delete(digest: "a", clientID: "other", in: $0) } == false)
        #expect(try await tokens.find(digest: "a", at: Sample.now) != nil)
        #expect(
            try await database.write { try AccessTokenStore.delete(digest: "a", clientID: Sample.clientID, in: $0) })
        #expect(try await tokens.find(digest: "a", at: Sample.now) == nil)
    }

    private static func find(_ digest: String, in database: any SQLDatabase) async throws -> RefreshToken? {
        try await database.read { try RefreshTokenStore.find(digest: digest, in: $0) }
    }

    private static func refreshTokenIsKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let family = Sample.family("f")
        try await database.write { transaction in
            try RefreshTokenStore.insert(family, firstToken: "r", at: Sample.now, in: transaction)
            try RefreshTokenStore.insert(
                Sample.family("endless", expiresAt: nil), firstToken: "e", at: Sample.now, in: transaction)
        }
        let found = try await find("r", in: database)
        #expect(found?.generation == 0 && found?.replacedAt == nil)
        #expect(found?.issuedAt == Sample.now.storable && found?.lastUsedAt == Sample.now.storable)
        #expect(found?.family.id == "f" && found?.family.authorizationID == family.authorizationID)
        #expect(found?.family.clientID == family.clientID && found?.family.userID == family.userID)
        #expect(found?.family.audience == family.audience && found?.family.scope == family.scope)
        #expect(found?.family.sid == family.sid && found?.family.authenticatedAt == family.authenticatedAt)
        #expect(found?.family.showsAuthenticationTime == false && found?.family.isRotating == true)
        #expect(found?.family.expiresAt == family.expiresAt)
        #expect(try await find("e", in: database)?.family.expiresAt == nil)
        #expect(found?.family.confirmation == Confirmation())
        for binding in [
            Confirmation(keyThumbprint: "first"), Confirmation(keyThumbprint: "second"),
            Confirmation(certificateThumbprint: "certificate"),
        ] {
            try await database.write { try RefreshTokenStore.bind(family: "f", to: binding, in: $0) }
        }
        let bound = try await find("r", in: database)?.family.confirmation
        #expect(bound == Confirmation(keyThumbprint: "first", certificateThumbprint: "certificate"))
        #expect(try await find("e", in: database)?.family.confirmation == Confirmation())
        try await database.write { try RefreshTokenStore.touch(digest: "r", at: Sample.now + 9, in: $0) }
        #expect(try await find("r", in: database)?.lastUsedAt == (Sample.now + 9).storable)
        try await database.write { try RefreshTokenStore.deleteFamily("f", in: $0) }
        #expect(try await find("r", in: database) == nil)
        #expect(try await find("e", in: database) != nil)
    }

    private static func refreshTokenRotates(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write {
            try RefreshTokenStore.insert(Sample.family("f"), firstToken: "0", at: Sample.now, in: $0)
        }
        for generation in 0..<3 {
            let token = try #require(try await find("\(generation)", in: database))
            #expect(token.generation == generation)
            let rotated = try await database.write {
                try RefreshTokenStore.rotate(token, to: "\(generation + 1)", at: Sample.now + 1, in: $0)
            }
            #expect(rotated)
            let again = try await database.write {
                try RefreshTokenStore.rotate(token, to: "fork", at: Sample.now + 2, in: $0)
            }
            #expect(!again)
            // The moment of the first replacement stays: a grace period cannot be stretched by replays.
            #expect(try await find("\(generation)", in: database)?.replacedAt == (Sample.now + 1).storable)
        }
        #expect(try await find("fork", in: database) == nil)
        #expect(try await find("3", in: database)?.replacedAt == nil)
    }

    private static func refreshTokenRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write {
            try RefreshTokenStore.insert(Sample.family("f"), firstToken: "r", at: Sample.now, in: $0)
        }
        let token = try #require(try await find("r", in: database))
        let rotated = try await race(50) { index in
            try await database.write {
                try RefreshTokenStore.rotate(token, to: "successor \(index)", at: Sample.now, in: $0)
            }
        }
        #expect(rotated.count { $0 } == 1)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM refresh_token", in: database) == 2)
    }

    private static func revocation(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write { transaction in
            try RefreshTokenStore.insert(Sample.family("f"), firstToken: "r", at: Sample.now, in: transaction)
            try RefreshTokenStore.insert(Sample.family("g"), firstToken: "other", at: Sample.now, in: transaction)
            try AccessTokenStore.insert(Sample.accessToken("a"), in: transaction)
        }
        try await database.write {
            try RefreshTokenStore.revoke(authorizationID: "authorization of f", at: Sample.now, in: $0)
        }
        #expect(try await find("r", in: database) == nil)
        #expect(try await find("other", in: database) != nil)
        let found = try await Stores(database: database).accessTokens.find(digest: "a", at: Sample.now)
        #expect(found?.confirmation == Sample.confirmation)
        try await database.write {
            try RefreshTokenStore.revoke(authorizationID: "authorization", at: Sample.now, in: $0)
        }
        #expect(try await Stores(database: database).accessTokens.find(digest: "a", at: Sample.now) == nil)
    }

    private static func refreshTokenLimit(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let most = RefreshTokenStore.mostPerUserAndClient
        #expect(most == 200)
        try await database.write { transaction in
            try UserStore.insert(Sample.user("auth0|2", email: nil), passwordHash: nil, in: transaction)
            try RefreshTokenStore.insert(
                Sample.family("other", userID: "auth0|2"), firstToken: "other", at: Sample.now - 1_000, in: transaction)
            for index in 0..<(most + 5) {
                try RefreshTokenStore.insert(
                    Sample.family("f\(index)"), firstToken: "r\(index)", at: Sample.now + Double(index), in: transaction
                )
            }
        }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM refresh_token_family", in: database) == most + 1)
        #expect(try await find("r4", in: database) == nil)
        #expect(try await find("r5", in: database) != nil)
        #expect(try await find("r\(most + 4)", in: database) != nil)
        #expect(try await find("other", in: database) != nil)
    }

    private static func newestTokenStays(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        // All in one millisecond; their ids decide the tie, now one way and now the other.
        let most = RefreshTokenStore.mostPerUserAndClient
        for index in 0..<(most + 5) {
            try await database.write {
                try RefreshTokenStore.insert(
                    Sample.family(index.isMultiple(of: 2) ? "a\(index)" : "z\(index)"), firstToken: "r\(index)",
                    at: Sample.now, in: $0)
            }
            #expect(try await find("r\(index)", in: database) != nil, "\(index)")
        }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM refresh_token_family", in: database) == most)
    }

    private static func clientDeletionCascades(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await issueEverything(in: database)
        try await database.write { transaction in
            try LoginTransactionStore.insert(Sample.login("l"), in: transaction)
            try ClientStore.delete(Sample.clientID, in: transaction)
        }
        try await expectNothingIssued(in: database, whereof: "client")
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM login_transaction", in: database) == 0)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM session", in: database) == 1)
    }
}
