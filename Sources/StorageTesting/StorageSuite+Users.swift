import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let users: [Behaviour] = [
        Behaviour("users: insert, find, update, delete", usersAreKept),
        Behaviour("an address or user name is one user's within its connection", usersAreUnique),
        Behaviour("of many users with one address that are inserted at once, one is", usersRace),
        Behaviour("a password's hash is replaced, and upgraded only if it is still the same", passwordHashes),
        Behaviour("logins and blocks are noted", loginsAreNoted),
        Behaviour("users are listed page by page, each once", usersAreListed),
        Behaviour("users keep Unicode in every field", usersKeepUnicode),
        Behaviour("deleting a user removes what was issued to them", userDeletionCascades),
    ]

    private static func usersAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let users = Stores(database: database).users
        var user = Sample.user("auth0|2", email: "grace@example.com")
        user.username = "grace"
        user.profile = ["name": "Grace", "address": ["country": "US"], "updated": 1.5]
        user.userMetadata = ["theme": "dark"]
        user.appMetadata = ["plan": ["free", nil, 3, false]]
        user.isEmailVerified = true
        user.isBlocked = true
        user.lastLogin = (Sample.now + 1).storable
        user.loginsCount = 42
        let saved = user
        try await database.write { try UserStore.insert(saved, passwordHash: "hash", in: $0) }
        #expect(try await users.find("auth0|2") == saved)
        #expect(try await users.find("auth0|3") == nil)
        for identifier in ["grace@example.com", "grace"] {
            let found = try await users.find(connection: Sample.connection, identifier: identifier)
            #expect(found?.user == saved)
            #expect(found?.passwordHash == "hash")
        }
        #expect(try await users.find(connection: "Other", identifier: "grace") == nil)
        #expect(try await users.find(connection: Sample.connection, identifier: "") == nil)

        user.profile = [:]
        user.isBlocked = false
        user.isEmailVerified = false
        user.updatedAt = (Sample.now + 2).storable
        let changed = user
        try await database.write { try UserStore.update(changed, of: changed.id, at: Sample.now + 2, in: $0) }
        #expect(try await users.find("auth0|2") == changed)
        try await database.write { try UserStore.delete("auth0|2", in: $0) }
        #expect(try await users.find("auth0|2") == nil)
        #expect(try await users.find(Sample.userID) == Sample.user())
    }

    private static func usersAreUnique(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        var named = Sample.user("auth0|2", email: nil)
        named.username = "ada"
        var namesake = Sample.user("auth0|3", email: nil)
        namesake.username = "ada"
        let (first, second) = (named, namesake)
        try await database.write { try UserStore.insert(first, passwordHash: nil, in: $0) }
        #expect(
            isUniqueViolation(
                await failure { try await database.write { try UserStore.insert(second, passwordHash: nil, in: $0) } }))
        var elsewhere = Sample.user("auth0|4")
        elsewhere.connection = "Other"
        elsewhere.username = "ada"
        let third = elsewhere
        // Another connection, or no address at all, is no conflict.
        try await database.write { transaction in
            try UserStore.insert(third, passwordHash: nil, in: transaction)
            try UserStore.insert(Sample.user("auth0|5", email: nil), passwordHash: nil, in: transaction)
            try UserStore.insert(Sample.user("auth0|6", email: nil), passwordHash: nil, in: transaction)
        }
        #expect(try await Stores(database: database).users.find(connection: "Other", identifier: "ada")?.user == third)
    }

    private static func usersRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let errors = try await race(50) { index in
            await failure {
                let user = Sample.user("auth0|race \(index)", email: "race@example.com")
                try await database.write { try UserStore.insert(user, passwordHash: nil, in: $0) }
            }
        }
        #expect(errors.count { $0 == nil } == 1)
        #expect(errors.count(where: isUniqueViolation) == 49)
    }

    private static func passwordHashes(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let hash: @Sendable () async throws -> String? = {
            try await Stores(database: database).users.find(
                connection: Sample.connection, identifier: "ada@example.com")?
                .passwordHash
        }
        try await database.write {
            try UserStore.upgradePasswordHash(of: Sample.userID, from: "another", to: "stronger", in: $0)
        }
        #expect(try await hash() == "hash")
        try await database.write {
            try UserStore.upgradePasswordHash(of: Sample.userID, from: "hash", to: "stronger", in: $0)
        }
        #expect(try await hash() == "stronger")
        try await database.write { try UserStore.setPasswordHash("new", of: Sample.userID, at: Sample.now, in: $0) }
        #expect(try await hash() == "new")
        let orphan = await failure {
            try await database.write { try UserStore.setPasswordHash("new", of: "nobody", at: Sample.now, in: $0) }
        }
        #expect(orphan as? SQLError == .foreignKeyViolation)

        try await database.write { transaction in
            try UserStore.insert(Sample.user("auth0|2", email: "b@example.com"), passwordHash: nil, in: transaction)
        }
        let found = try await Stores(database: database).users
            .find(connection: Sample.connection, identifier: "b@example.com")
        #expect(found?.user.id == "auth0|2")
        #expect(found?.passwordHash == nil)
    }

    private static func loginsAreNoted(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        _ = try await race(20) { _ in
            try await database.write { try UserStore.recordLogin(of: Sample.userID, at: Sample.now + 5, in: $0) }
        }
        try await database.write { try UserStore.setBlocked(true, Sample.userID, in: $0) }
        var user = try await Stores(database: database).users.find(Sample.userID)
        #expect(user?.loginsCount == 20)
        #expect(user?.lastLogin == (Sample.now + 5).storable)
        #expect(user?.isBlocked == true)
        try await database.write { try UserStore.setBlocked(false, Sample.userID, in: $0) }
        user = try await Stores(database: database).users.find(Sample.userID)
        #expect(user?.isBlocked == false)
    }

    private static func usersAreListed(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        // Ids of several shapes: letters of both cases, a prefix of another, one that is not ASCII.
        let ids = (0..<57).map { "auth0|\($0 * 7919 % 1000)" } + ["Auth0|A", "auth0|a", "auth0|", "samlp|é", "samlp|z"]
        try await database.write { transaction in
            for id in ids { try UserStore.insert(Sample.user(id, email: nil), passwordHash: nil, in: transaction) }
        }
        let users = Stores(database: database).users
        var listed: [String] = []
        while true {
            let page = try await users.list(after: listed.last ?? "", limit: 10)
            listed += page.map(\.id)
            if page.count < 10 { break }
        }
        #expect(listed.count == ids.count + 1)
        #expect(Set(listed) == Set(ids + [Sample.userID]))
        #expect(try await users.list(limit: 1_000).map(\.id) == listed)
        #expect(try await users.list(after: listed.last ?? "", limit: 10).isEmpty)
    }

    private static func usersKeepUnicode(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        // Two addresses that look alike and are different bytes are two users.
        let addresses = ["zoé@example.com", "zoe\u{301}@example.com", "😀@example.com", "שָׁלוֹם@example.com"]
        for (index, address) in addresses.enumerated() {
            var user = Sample.user("auth0|\(address)", email: address)
            user.profile = ["name": .string("\(address) 👩‍👩‍👧‍👦 \u{202B}مرحبا"), "ключ": "значение"]
            user.userMetadata = ["😀": ["نص", "Z̸̢͝a", "\u{0}\u{1F}"]]
            user.loginsCount = index
            let saved = user
            try await database.write { try UserStore.insert(saved, passwordHash: "p\(index)", in: $0) }
        }
        for (index, address) in addresses.enumerated() {
            let found = try await Stores(database: database).users
                .find(connection: Sample.connection, identifier: address)
            #expect(found?.passwordHash == "p\(index)")
            #expect(found?.user.loginsCount == index)
            #expect(found?.user.email.map { Array($0.utf8) } == Array(address.utf8))
            #expect(found?.user.profile["name"]?.string == "\(address) 👩‍👩‍👧‍👦 \u{202B}مرحبا")
            #expect(found?.user.userMetadata == ["😀": ["نص", "Z̸̢͝a", "\u{0}\u{1F}"]])
        }
    }

    private static func userDeletionCascades(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await issueEverything(in: database)
        try await database.write { try UserStore.delete(Sample.userID, in: $0) }
        try await expectNothingIssued(in: database, whereof: "user")
    }

    /// One row of everything that belongs to the sample's user and client.
    static func issueEverything(in database: any SQLDatabase) async throws {
        try await database.write { transaction in
            try SessionStore.insert(Sample.session("s"), in: transaction)
            try AuthorizationCodeStore.insert(Sample.code("c"), in: transaction)
            try AccessTokenStore.insert(Sample.accessToken("a"), in: transaction)
            try RefreshTokenStore.insert(Sample.family("f"), firstToken: "r", at: Sample.now, in: transaction)
            try ConsentGrantStore.allow(
                ConsentGrant(Sample.userID, clientID: Sample.clientID, audience: nil, scope: Scope(["openid"])),
                at: Sample.now, in: transaction)
        }
    }

    /// Codes stay for their ten minutes: whoever redeems one looks for its user and client anyway.
    static func expectNothingIssued(in database: any SQLDatabase, whereof owner: String) async throws {
        let tables: [SQL] = [
            "SELECT COUNT(*) AS rows FROM access_token",
            "SELECT COUNT(*) AS rows FROM refresh_token_family", "SELECT COUNT(*) AS rows FROM refresh_token",
            "SELECT COUNT(*) AS rows FROM consent_grant",
        ]
        for table in tables { #expect(try await Sample.count(table, in: database) == 0, "\(owner): \(table.text)") }
    }
}
