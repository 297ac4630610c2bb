import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let configuration: [Behaviour] = [
        Behaviour("tenant settings read back as they were written", tenantSettings),
        Behaviour("each change of the configuration counts its version up, and only those", configurationVersion),
        Behaviour("a configuration change that fails does not count", failedChangeDoesNotCount),
        Behaviour("clients: insert, replace, list, delete", clients),
        Behaviour("APIs: insert, replace, list, delete", resourceServers),
        Behaviour("client grants: insert, replace, list, delete", clientGrants),
        Behaviour("a client grant needs its client and its API", clientGrantsNeedBothSides),
        Behaviour("connections: insert, replace, list, delete", connections),
        Behaviour("roles: insert, replace, assign, delete", roles),
    ]

    private static func tenantSettings(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let stores = Stores(database: database)
        #expect(try await stores.tenant.settings() == TenantSettings())
        var settings = TenantSettings()
        settings.friendlyName = "Grüße 😀 \"שלום\""
        settings.defaultAudience = Sample.audience
        settings.allowedLogoutURLs = [try RegisteredURI("https://*.example.com/out")]
        settings.sessionLifetime = 90 * 60
        settings.idleSessionLifetime = 60
        settings.sessionCookieIsPersistent = false
        settings.wireDialect = .auth0
        settings.bruteForceMaximumAttempts = 3
        settings.signingAlgorithms = SigningAlgorithms([.edDSA, .ps256])
        settings.other = ["flags": ["enable_client_connections": false], "enabled_locales": ["de", "en"]]
        let written = settings
        try await database.write { try TenantStore.update(written, in: $0) }
        #expect(try await stores.tenant.settings() == written)
    }

    private static func configurationVersion(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let role = try Role(document: Document(["name": "Reader"], path: "role"), standardID: "rol_1")
        let changes: [(counts: Bool, body: @Sendable (any SQLTransaction) throws -> Void)] = [
            (true, { try TenantStore.update(TenantSettings(), in: $0) }),
            (
                true,
                {
                    try ClientStore.save(
                        Client(clientID: "b", name: "B"), secretDigest: nil, sealedSecret: nil, at: Sample.now, in: $0)
                }
            ),
            (true, { try ResourceServerStore.save(Sample.api("b:api"), sealedSigningSecret: nil, in: $0) }),
            (
                true,
                {
                    try ClientGrantStore.save(
                        ClientGrant(id: "cgr_1", clientID: "b", audience: "b:api", scope: .empty), in: $0)
                }
            ),
            (true, { try ConnectionStore.save(Connection(id: "con_2", name: "B", strategy: "auth0"), in: $0) }),
            (true, { try SigningKeyStore.insert(Sample.key("1", .current), in: $0) }),
            (true, { try SigningKeyStore.insert(Sample.key("2", .next), in: $0) }),
            (true, { try SigningKeyStore.rotate(newNext: [Sample.key("3", .next)], in: $0) }),
            (true, { try ClientGrantStore.delete("cgr_1", in: $0) }),
            (true, { try ConnectionStore.delete(name: "B", in: $0) }),
            (true, { try ResourceServerStore.delete(identifier: "b:api", in: $0) }),
            (true, { try ClientStore.delete("b", in: $0) }),
            (false, { try UserStore.insert(Sample.user("auth0|2", email: nil), passwordHash: nil, in: $0) }),
            (false, { try SessionStore.insert(Sample.session("s"), in: $0) }),
            (false, { try LoginTransactionStore.insert(Sample.login("l"), in: $0) }),
            (false, { try RoleStore.save(role, in: $0) }),
        ]
        var version = try await Stores(database: database).tenant.configurationVersion()
        for (index, change) in changes.enumerated() {
            try await database.write { try change.body($0) }
            let now = try await Stores(database: database).tenant.configurationVersion()
            #expect((now > version) == change.counts, "change \(index)")
            #expect(now >= version, "change \(index)")
            version = now
        }
    }

    private static func failedChangeDoesNotCount(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let before = try await Stores(database: database).tenant.configurationVersion()
        let orphan = ClientGrant(id: "cgr_1", clientID: "nobody", audience: Sample.audience, scope: .empty)
        let error = await failure {
            try await database.write { transaction in
                try TenantStore.configurationChanged(in: transaction)
                try ClientGrantStore.save(orphan, in: transaction)
            }
        }
        #expect(error as? SQLError == .foreignKeyViolation)
        #expect(try await Stores(database: database).tenant.configurationVersion() == before)
    }

    private static func clients(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let stores = Stores(database: database)
        var client = Client(clientID: "web", name: "A Web App")
        client.appType = .regularWeb
        client.isFirstParty = false
        client.callbacks = [
            try RegisteredURI("https://web.example.com/cb"), try RegisteredURI("https://*.example.com/cb"),
        ]
        client.allowedLogoutURLs = [try RegisteredURI("https://web.example.com/")]
        client.webOrigins = ["https://web.example.com"]
        client.grantTypes = [.authorizationCode, .refreshToken]
        (client.idTokenLifetime, client.idTokenAlgorithm) = (60, .hs256)
        client.refreshToken.isRotating = true
        client.refreshToken.leeway = 7
        client.refreshToken.absoluteLifetime = 100
        client.refreshToken.idleLifetime = nil
        client.other = ["client_metadata": ["team": "blue"]]
        let (saved, now) = (client, Sample.now)
        try await database.write {
            try ClientStore.save(saved, secretDigest: "web digest", sealedSecret: "web sealed", at: now, in: $0)
        }
        #expect(try await stores.clients.find("web")?.client == saved)
        #expect(try await stores.clients.find("WEB") == nil)
        #expect(try await stores.clients.list().map(\.client.name) == ["A Web App", "App"])

        var renamed = saved
        renamed.name = "Z Web App"
        let replacement = renamed
        try await database.write {
            try ClientStore.save(replacement, secretDigest: nil, sealedSecret: nil, at: now + 1, in: $0)
        }
        let found = try await stores.clients.find("web")
        #expect(found?.client == replacement)
        #expect(found?.secretDigest == "web digest")
        #expect(found?.sealedSecret == "web sealed")
        #expect(try await stores.clients.list().map(\.client.name) == ["App", "Z Web App"])

        try await database.write {
            try ClientStore.save(replacement, secretDigest: "new digest", sealedSecret: nil, at: now + 2, in: $0)
        }
        #expect(try await stores.clients.find("web")?.secretDigest == "new digest")
        try await database.write { try ClientStore.delete("web", in: $0) }
        #expect(try await stores.clients.find("web") == nil)
    }

    private static func resourceServers(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let stores = Stores(database: database)
        #expect(try await stores.resourceServers.find(identifier: Sample.audience)?.resourceServer == Sample.api())
        var api = Sample.api("https://api.example.com/v1")
        api.signingAlgorithm = .hs256
        api.tokenLifetime = 120
        api.tokenLifetimeForWeb = 60
        api.allowsOfflineAccess = true
        api.enforcesPolicies = true
        api.tokenDialect = .rfc9068ProfileAuthz
        let saved = api
        try await database.write { try ResourceServerStore.save(saved, sealedSigningSecret: "sealed", in: $0) }
        var found = try await stores.resourceServers.find(identifier: saved.identifier)
        #expect(found?.resourceServer == saved)
        #expect(found?.sealedSigningSecret == "sealed")

        api.name = "Renamed"
        api.scopes = []
        let replacement = api
        try await database.write { try ResourceServerStore.save(replacement, sealedSigningSecret: nil, in: $0) }
        found = try await stores.resourceServers.find(identifier: saved.identifier)
        #expect(found?.resourceServer == replacement)
        #expect(found?.sealedSigningSecret == "sealed")
        #expect(
            try await database.read { try ResourceServerStore.list(in: $0).map(\.resourceServer.name) }
                == ["Notes", "Renamed"])
        #expect(try await stores.resourceServers.find(identifier: "https://api.example.com/V1") == nil)
        try await database.write { try ResourceServerStore.delete(identifier: saved.identifier, in: $0) }
        #expect(try await stores.resourceServers.find(identifier: saved.identifier) == nil)
    }

    private static func clientGrants(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let grants = Stores(database: database).clientGrants
        let first = ClientGrant(
            id: "cgr_1", clientID: Sample.clientID, audience: Sample.audience, scope: Scope(["read:notes"]))
        try await database.write { try ClientGrantStore.save(first, in: $0) }
        #expect(try await grants.find(clientID: Sample.clientID, audience: Sample.audience) == first)
        #expect(try await grants.find(clientID: Sample.clientID, audience: "other") == nil)

        let second = ClientGrant(
            id: "cgr_2", clientID: Sample.clientID, audience: Sample.audience, scope: Scope(["write:notes"]))
        try await database.write { try ClientGrantStore.save(second, in: $0) }
        #expect(try await database.read { try ClientGrantStore.list(in: $0) } == [second])
        // Whichever id the list shows deletes the grant.
        try await database.write { try ClientGrantStore.delete("cgr_2", in: $0) }
        #expect(try await database.read { try ClientGrantStore.list(in: $0) }.isEmpty)
    }

    private static func clientGrantsNeedBothSides(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        for (client, audience) in [("nobody", Sample.audience), (Sample.clientID, "nothing")] {
            let grant = ClientGrant(id: "cgr_1", clientID: client, audience: audience, scope: .empty)
            let error = await failure { try await database.write { try ClientGrantStore.save(grant, in: $0) } }
            #expect(error as? SQLError == .foreignKeyViolation)
        }
        for delete in [
            { try ClientStore.delete(Sample.clientID, in: $0) },
            { try ResourceServerStore.delete(identifier: Sample.audience, in: $0) },
        ] as [@Sendable (any SQLTransaction) throws -> Void] {
            let database = try await suite.prepared()
            let grant = ClientGrant(id: "cgr_1", clientID: Sample.clientID, audience: Sample.audience, scope: .empty)
            try await database.write { try ClientGrantStore.save(grant, in: $0) }
            try await database.write { try delete($0) }
            #expect(try await database.read { try ClientGrantStore.list(in: $0) }.isEmpty)
        }
    }

    private static func connections(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let stores = Stores(database: database)
        var connection = Connection(id: "con_2", name: "Employees", strategy: "samlp")
        connection.displayName = "Employees"
        connection.enabledClients = [Sample.clientID, "other"]
        connection.options = ["signInEndpoint": "https://idp.example.com/"]
        let saved = connection
        try await database.write { try ConnectionStore.save(saved, in: $0) }
        #expect(try await stores.connections.find(name: "Employees") == saved)
        #expect(try await stores.connections.list().map(\.name) == ["Employees", Sample.connection])

        connection.id = "con_3"
        connection.options = [:]
        let replacement = connection
        try await database.write { try ConnectionStore.save(replacement, in: $0) }
        #expect(try await stores.connections.find(name: "Employees") == replacement)
        #expect(try await stores.connections.list().count == 2)
        try await database.write { try ConnectionStore.delete(name: "Employees", in: $0) }
        #expect(try await stores.connections.find(name: "Employees") == nil)
    }

    private static func role(_ name: String, _ permissions: [(String, String)]) throws -> Role {
        let list: [JSONValue] = permissions.map { audience, name in
            ["resource_server_identifier": .string(audience), "permission_name": .string(name)]
        }
        return try Role(
            document: Document(["name": .string(name), "permissions": .array(list)], path: "role"),
            standardID: "rol_\(name)")
    }

    private static func roles(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let reader = try role("Reader", [(Sample.audience, "read:notes")])
        let writer = try role("Writer", [(Sample.audience, "write:notes"), (Sample.audience, "read:notes")])
        try await database.write { transaction in
            for role in [writer, reader] {
                try RoleStore.save(role, in: transaction)
                try RoleStore.assign(roleID: role.id, to: Sample.userID, in: transaction)
                try RoleStore.assign(roleID: role.id, to: Sample.userID, in: transaction)
            }
        }
        #expect(try await database.read { try RoleStore.list(in: $0) } == [reader, writer])
        let permissions: @Sendable (any SQLTransaction) throws -> [String] = {
            try RoleStore.permissions(of: Sample.userID, audience: Sample.audience, in: $0)
        }
        #expect(try await database.read(permissions) == ["read:notes", "write:notes"])

        let less = try role("Writer", [(Sample.audience, "delete:notes")])
        try await database.write { try RoleStore.save(less, in: $0) }
        #expect(try await database.read(permissions) == ["delete:notes", "read:notes"])
        try await database.write { try RoleStore.delete(name: "Reader", in: $0) }
        #expect(try await database.read(permissions) == ["delete:notes"])

        let unknownAPI = try role("Other", [("nothing", "read:notes")])
        let failures = [
            await failure { try await database.write { try RoleStore.save(unknownAPI, in: $0) } },
            await failure {
                try await database.write { try RoleStore.assign(roleID: "rol_Writer", to: "nobody", in: $0) }
            },
            await failure {
                try await database.write { try RoleStore.assign(roleID: "nothing", to: Sample.userID, in: $0) }
            },
        ]
        #expect(failures.map { $0 as? SQLError } == Array(repeating: .foreignKeyViolation, count: 3))
        #expect(try await database.read { try RoleStore.list(in: $0) } == [less])
    }
}
