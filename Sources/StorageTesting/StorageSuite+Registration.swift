import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let registration: [Behaviour] = [
        Behaviour("a registration is found by its token, and ends with its client", registrationEndsWithClient),
        Behaviour("of changes of a registration that race with one token, one wins", oneChangeWins),
        Behaviour("two nodes that count attempts at once allow exactly as many as there are", nodesCountAttempts),
        Behaviour("a window of attempts begins with the first and does not slide", windowsDoNotSlide),
        Behaviour("a sweep removes windows that are over, and no others", sweepRemovesWindows),
        Behaviour("clients of documents push out those that nobody uses, and only those", unusedDocumentsGo),
        Behaviour("what a client registered comes back as it was", registeredMetadataIsKept),
    ]

    private static func insert(_ token: String, in database: any SQLDatabase) async throws {
        try await database.write { transaction in
            try ClientRegistrationStore.insert(
                ClientRegistration(clientID: Sample.clientID, accessTokenDigest: token, registeredAt: Sample.now),
                in: transaction)
        }
    }

    private static func registrationEndsWithClient(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await insert("token", in: database)
        let store = Stores(database: database).clientRegistrations
        let found = try await store.find(accessTokenDigest: "token")
        #expect(found?.clientID == Sample.clientID)
        #expect(found?.registeredAt == Sample.now.storable)
        #expect(try await store.find(accessTokenDigest: "other") == nil)
        try await database.write { try ClientStore.delete(Sample.clientID, in: $0) }
        #expect(try await store.find(accessTokenDigest: "token") == nil)
    }

    private static func oneChangeWins(_ suite: StorageSuite) async throws {
        let nodes = try await suite.openTwice()
        try await Migrations.run(on: nodes[0])
        try await nodes[0].write { try Sample.insert(in: $0) }
        try await insert("token", in: nodes[0])
        let won = try await race(20) { index in
            try await nodes[index % 2].write { transaction in
                try ClientRegistrationStore.replaceToken(
                    of: Sample.clientID, from: "token", to: "token \(index)", in: transaction)
            }
        }
        #expect(won.count { $0 } == 1)
        #expect(try await Stores(database: nodes[1]).clientRegistrations.find(accessTokenDigest: "token") == nil)
        #expect(
            try await Sample.count(
                "SELECT COUNT(*) AS rows FROM client_registration WHERE access_token_digest LIKE 'token %'",
                in: nodes[1]) == 1)
    }

    private static func nodesCountAttempts(_ suite: StorageSuite) async throws {
        let nodes = try await suite.openTwice()
        try await Migrations.run(on: nodes[0])
        let allowed = try await race(60) { index in
            try await Stores(database: nodes[index % 2]).rateLimits.refusal(
                "registration 192.0.2.1", most: 20, window: 60, at: Sample.now) == nil
        }
        #expect(allowed.count { $0 } == 20)
    }

    private static func windowsDoNotSlide(_ suite: StorageSuite) async throws {
        let database = try await suite.open()
        try await Migrations.run(on: database)
        let limits = Stores(database: database).rateLimits
        for (seconds, subject, refusal) in [
            (0.0, "a", nil), (30, "a", nil), (58.5, "a", 2), (59, "b", nil), (60, "a", nil), (61, "a", nil),
            (119, "a", 1),
        ] as [(Double, String, Int?)] {
            #expect(
                try await limits.refusal(subject, most: 2, window: 60, at: Sample.now + seconds) == refusal,
                "\(subject) after \(seconds) s")
        }
    }

    private static func sweepRemovesWindows(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let stores = Stores(database: database)
        _ = try await stores.rateLimits.refusal("past", most: 1, window: 10, at: Sample.now - 10)
        _ = try await stores.rateLimits.refusal("present", most: 1, window: 11, at: Sample.now - 10)
        _ = try await stores.expiredRows.deleteBatch(at: Sample.now)
        let left = try await database.read { try $0.rows("SELECT subject FROM rate_limit") }
        #expect(try left.map { try $0.text("subject") } == ["present"])
    }

    private static func unusedDocumentsGo(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let stores = Stores(database: database)
        func save(_ number: Int, lasting: TimeInterval) async throws -> Bool {
            var client = Client(clientID: "https://\(number).example/client", name: "\(number).example")
            (client.isFirstParty, client.isMetadataDocument) = (false, true)
            let saved = client
            return try await database.write { transaction in
                try ClientMetadataDocumentStore.save(
                    saved, until: Sample.now + lasting, most: 2, at: Sample.now, in: transaction)
            }
        }
        #expect(try await save(1, lasting: 1))
        #expect(try await save(2, lasting: 2))
        #expect(try await stores.clientMetadataDocuments.isFresh("https://1.example/client", at: Sample.now))
        #expect(try await !stores.clientMetadataDocuments.isFresh("https://1.example/client", at: Sample.now + 1))
        try await database.write { transaction in
            let grant = ConsentGrant(
                Sample.userID, clientID: "https://1.example/client", audience: nil, scope: Scope(["email"]))
            try ConsentGrantStore.allow(grant, at: Sample.now, in: transaction)
        }
        // The first is older, but has a user.
        #expect(try await save(3, lasting: 3))
        #expect(try await stores.clients.find("https://1.example/client") != nil)
        #expect(try await stores.clients.find("https://2.example/client") == nil)
        #expect(try await stores.clients.find(Sample.clientID) != nil)
        _ = try await stores.expiredRows.deleteBatch(at: Sample.now + 3 + 86_399)
        #expect(try await stores.clients.find("https://3.example/client") != nil)
        _ = try await stores.expiredRows.deleteBatch(at: Sample.now + 3 + 86_400)
        #expect(try await stores.clients.find("https://3.example/client") == nil)
        #expect(try await stores.clients.find("https://1.example/client") != nil)
    }

    private static func registeredMetadataIsKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        var client = Client(clientID: "registered", name: "Registered ü")
        client.isFirstParty = false
        client.openID.subjectType = .pairwise
        client.openID.sectorIdentifierURI = "https://app.example.com/sector.json"
        client.openID.userInfoAlgorithm = .rs256
        client.openID.defaultMaxAge = 60
        client.openID.requiresAuthenticationTime = true
        client.openID.defaultACRValues = ["urn:a", "urn:b"]
        client.openID.responseTypes = [.code, [.code, .idToken]]
        client.information.contacts = ["ops@example.com"]
        client.information.uri = "https://app.example.com/"
        client.information.policyURI = "https://app.example.com/policy"
        client.information.termsURI = "https://app.example.com/terms"
        client.information.softwareID = "software"
        client.information.softwareVersion = "1.2"
        client.information.localized = ["client_name#de": "Registriert"]
        let saved = client
        try await database.write { transaction in
            try ClientStore.save(saved, secretDigest: nil, sealedSecret: nil, at: Sample.now, in: transaction)
        }
        #expect(try await Stores(database: database).clients.find("registered")?.client == saved)
    }
}
