import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let logins: [Behaviour] = [
        Behaviour("a session is found until its idle end, its end or its user's block", sessions),
        Behaviour("a session ends with its user", sessionEndsWithItsUser),
        Behaviour("a login transaction is its browser's alone, and for its hour", loginTransactions),
        Behaviour("of fifty that end a login transaction at once, one does", loginTransactionRace),
        Behaviour("a browser has ten login transactions at most; the oldest go", loginTransactionLimit),
        Behaviour("consent adds up per user, application and API", consent),
        Behaviour("of fifty login attempts at once, as many as are left are let through", loginAttempts),
    ]

    private static func sessions(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let sessions = Stores(database: database).sessions
        let session = Sample.session("s", lasting: 100)
        try await database.write { try SessionStore.insert(session, in: $0) }
        let found = try await sessions.find(digest: "s", at: Sample.now)
        #expect(found == session)
        #expect(found?.userID == Sample.userID)
        #expect(try await sessions.find(digest: "t", at: Sample.now) == nil)
        #expect(try await sessions.find(digest: "s", at: session.idleExpiresAt - 0.001) != nil)
        #expect(try await sessions.find(digest: "s", at: session.idleExpiresAt) == nil)
        try await database.write { transaction in
            try SessionStore.touch(
                digest: "s", at: Sample.now + 40, idleExpiresAt: Sample.now + 1_000, in: transaction)
        }
        let touched = try await sessions.find(digest: "s", at: Sample.now + 99)
        #expect(touched?.lastUsedAt == (Sample.now + 40).storable)
        #expect(touched?.authenticatedAt == session.authenticatedAt)
        #expect(try await sessions.find(digest: "s", at: session.expiresAt) == nil)
        try await database.write { try UserStore.setBlocked(true, Sample.userID, in: $0) }
        #expect(try await sessions.find(digest: "s", at: Sample.now) == nil)
        try await database.write { try UserStore.setBlocked(false, Sample.userID, in: $0) }
        try await database.write { try SessionStore.delete(digest: "s", in: $0) }
        #expect(try await sessions.find(digest: "s", at: Sample.now) == nil)
    }

    private static func sessionEndsWithItsUser(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write { transaction in
            try SessionStore.insert(Sample.session("s"), in: transaction)
            try UserStore.delete(Sample.userID, in: transaction)
        }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM session", in: database) == 0)
    }

    private static func loginTransactions(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let logins = Stores(database: database).loginTransactions
        let login = Sample.login("l")
        try await database.write { try LoginTransactionStore.insert(login, in: $0) }
        var found = try await logins.find(digest: "l", browserDigest: "browser", at: Sample.now)
        #expect(found?.purpose == login.purpose)
        #expect(found?.clientID == login.clientID && found?.progress == LoginTransaction.Progress())
        #expect(found?.createdAt == login.createdAt && found?.expiresAt == login.expiresAt)
        #expect(try await logins.find(digest: "l", browserDigest: "another", at: Sample.now) == nil)
        #expect(try await logins.find(digest: "m", browserDigest: "browser", at: Sample.now) == nil)
        #expect(try await logins.find(digest: "l", browserDigest: "browser", at: login.expiresAt) == nil)

        let device = LoginTransaction(
            digest: "d", browserDigest: "browser", clientID: login.clientID, purpose: .device(codeDigest: "code"),
            createdAt: login.createdAt, expiresAt: login.expiresAt)
        try await database.write { transaction in
            try LoginTransactionStore.insert(device, in: transaction)
            var progress = device.progress
            progress.accountChoice = .session(digest: "s")
            try LoginTransactionStore.update(progress, digest: "d", in: transaction)
        }
        found = try await logins.find(digest: "d", browserDigest: "browser", at: Sample.now)
        #expect(found?.purpose == device.purpose && found?.progress.accountChoice == .session(digest: "s"))

        var progress = LoginTransaction.Progress()
        (progress.sessionDigest, progress.consentedScope) = ("s", "openid ü")
        (progress.consentedUserID, progress.isDenied) = (Sample.userID, true)
        let answered = progress
        try await database.write { try LoginTransactionStore.update(answered, digest: "l", in: $0) }
        found = try await logins.find(digest: "l", browserDigest: "browser", at: Sample.now)
        #expect(found?.progress == answered)
        #expect(try await database.write { try LoginTransactionStore.delete(digest: "l", in: $0) })
        #expect(try await !database.write { try LoginTransactionStore.delete(digest: "l", in: $0) })
    }

    private static func loginTransactionRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await database.write { try LoginTransactionStore.insert(Sample.login("l"), in: $0) }
        let ended = try await race(50) { _ in
            try await database.write { try LoginTransactionStore.delete(digest: "l", in: $0) }
        }
        #expect(ended.count { $0 } == 1)
    }

    private static func loginTransactionLimit(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let logins = Stores(database: database).loginTransactions
        let most = LoginTransactionStore.mostPerBrowser
        #expect(most == 10)
        try await database.write { transaction in
            try LoginTransactionStore.insert(
                Sample.login("other", browser: "another", at: Sample.now - 100), in: transaction)
            for index in 0..<(most + 3) {
                try LoginTransactionStore.insert(
                    Sample.login("l\(index)", at: Sample.now + Double(index)), in: transaction)
            }
        }
        #expect(try await logins.find(digest: "l2", browserDigest: "browser", at: Sample.now) == nil)
        #expect(try await logins.find(digest: "l3", browserDigest: "browser", at: Sample.now) != nil)
        #expect(try await logins.find(digest: "other", browserDigest: "another", at: Sample.now) != nil)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM login_transaction", in: database) == most + 1)
        // In one millisecond, the newest one stays whichever way the tie is decided.
        for index in 0..<(most + 3) {
            let digest = "t\(100 + index)"
            try await database.write { transaction in
                try LoginTransactionStore.insert(Sample.login(digest, browser: "tie"), in: transaction)
            }
            #expect(try await logins.find(digest: digest, browserDigest: "tie", at: Sample.now) != nil, "\(digest)")
        }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM login_transaction", in: database) == 2 * most + 1)
    }

    private static func consent(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let grants = Stores(database: database).consentGrants
        let allow: @Sendable (String?, [String]) async throws -> Void = { audience, scope in
            let grant = ConsentGrant(
                Sample.userID, clientID: Sample.clientID, audience: audience, scope: Scope(scope))
            try await database.write { try ConsentGrantStore.allow(grant, at: Sample.now, in: $0) }
        }
        let scope: @Sendable (String?) async throws -> Scope? = { audience in
            try await grants.scope(userID: Sample.userID, clientID: Sample.clientID, audience: audience)
        }
        #expect(try await scope(nil) == nil)
        try await allow("nothing", [])
        #expect(try await scope("nothing") == .empty)
        try await allow(nil, ["openid"])
        try await allow(Sample.audience, ["read:notes"])
        try await allow(Sample.audience, ["write:notes", "read:notes"])
        #expect(try await scope(nil) == Scope(["openid"]))
        #expect(try await scope(Sample.audience) == Scope(["read:notes", "write:notes"]))
        #expect(try await scope("other") == nil)
        #expect(
            try await grants.scope(userID: Sample.userID, clientID: "other", audience: Sample.audience) == nil)
        let inside = ConsentGrant(
            Sample.userID, clientID: Sample.clientID, audience: nil, organizationID: "org_acme", scope: Scope(["email"])
        )
        try await database.write { try ConsentGrantStore.allow(inside, at: Sample.now, in: $0) }
        #expect(try await scope(nil) == Scope(["openid"]))
        let stored = try await grants.scope(
            userID: Sample.userID, clientID: Sample.clientID, audience: nil, organizationID: "org_acme")
        #expect(stored == inside.scope)
        try await database.write { try OrganizationStore.delete("org_acme", in: $0) }
        let left = try await database.read { transaction in
            try ConsentGrantStore.list(.init(), start: 0, limit: 9, in: transaction)
        }
        #expect(left.count == 3 && left.allSatisfy { $0.grant.organizationID == nil })
        _ = try await race(20) { index in try await allow("raced", ["scope\(index)"]) }
        #expect(try await scope("raced")?.values.count == 20)
    }

    private static func loginAttempts(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let attempt: @Sendable (String, Date) async throws -> Bool = { address, now in
            try await database.write { transaction in
                try FailedLoginStore.takeAttempt(
                    identifierDigest: "identifier", address: address, most: 10, at: now, in: transaction)
            }
        }
        let letThrough = try await race(50) { _ in try await attempt("192.0.2.1", Sample.now) }
        #expect(letThrough.count { $0 } == 10)
        #expect(try await attempt("192.0.2.2", Sample.now))
        #expect(try await !attempt("192.0.2.1", Sample.now + FailedLoginStore.blockLifetime - 1))
        try await database.write { transaction in
            try FailedLoginStore.clear(identifierDigest: "identifier", address: "192.0.2.1", in: transaction)
        }
        #expect(try await attempt("192.0.2.1", Sample.now))
        for _ in 0..<20 { _ = try await attempt("192.0.2.3", Sample.now) }
        #expect(try await attempt("192.0.2.3", Sample.now + FailedLoginStore.blockLifetime))
    }
}
