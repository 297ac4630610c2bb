import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let migrations: [Behaviour] = [
        Behaviour("every migration runs on an empty database, once", migrationsRunOnce),
        Behaviour("rows of the first schema survive every later step", rowsSurviveEveryStep),
        Behaviour("a database of something else is refused and left alone", foreignDatabaseIsRefused),
        Behaviour("a newer schema is refused and left alone", newerSchemaIsRefused),
        Behaviour("two processes that migrate at once share the work", concurrentMigrations),
        Behaviour("a step that fails leaves no table behind", failedStepLeavesNothing),
    ]

    private static func migrationsRunOnce(_ suite: StorageSuite) async throws {
        let database = try await suite.open()
        #expect(try await Migrations.run(on: database, upTo: 0).isEmpty)
        #expect(try await Migrations.version(of: database) == 0)
        #expect(try await Migrations.run(on: database).map(\.number) == Array(1...Migrations.newest))
        #expect(try await Migrations.version(of: database) == Migrations.newest)
        #expect(try await Migrations.run(on: database).isEmpty)
        #expect(try await Stores(database: database).tenant.settings() == TenantSettings())
    }

    private static func rowsSurviveEveryStep(_ suite: StorageSuite) async throws {
        let database = try await suite.open()
        #expect(try await Migrations.run(on: database, upTo: 1).map(\.number) == [1])
        try await database.write { transaction in for row in firstSchemaRows { try transaction.execute(row) } }
        for number in 1...Migrations.newest where number > 1 {
            #expect(try await Migrations.run(on: database, upTo: number).map(\.number) == [number])
        }
        let stores = Stores(database: database)
        let time = Date(milliseconds: 1_780_000_000_123)
        #expect(try await stores.tenant.settings().friendlyName == "Old")
        #expect(try await stores.clients.find("old")?.client.name == "Old App")
        #expect(try await stores.clients.find("old")?.secretDigest == "digest")
        #expect(
            try await stores.resourceServers.find(identifier: "old:api")?.resourceServer.scopes.map(\.value) == [
                "read:old"
            ])
        #expect(try await stores.clientGrants.find(clientID: "old", audience: "old:api")?.scope == Scope(["read:old"]))
        #expect(try await stores.connections.find(name: "Old")?.strategy == "auth0")
        #expect(try await stores.users.find("auth0|old")?.profile == ["name": "Olga"])
        let found = try await stores.users.find(connection: "Old", identifier: "olga@example.com")
        #expect(found?.passwordHash == "hash")
        #expect(try await stores.sessions.find(digest: "session", at: time)?.sid == "sid")
        #expect(
            try await stores.loginTransactions.find(digest: "login", browserDigest: "browser", at: time)?.purpose
                == .authorization(Parameters(trusted: ["scope": "openid"])))
        #expect(try await stores.accessTokens.find(digest: "access", at: time)?.userID == "auth0|old")
        #expect(
            try await stores.consentGrants.scope(userID: "auth0|old", clientID: "old", audience: "old:api")
                == Scope(["read:old"]))
        #expect(try await stores.signingKeys.list().map(\.id) == ["kid"])
        try await database.write { transaction in
            #expect(try RefreshTokenStore.find(digest: "refresh", in: transaction)?.family.expiresAt == nil)
            let redeemed = try AuthorizationCodeStore.redeem(digest: "code", clientID: "old", at: time, in: transaction)
            guard case .redeemed = redeemed else {
                Issue.record("The code of the first schema is not redeemed")
                return
            }
            #expect(
                try RoleStore.permissions(of: "auth0|old", audience: "old:api", in: transaction)
                    == ["direct:old", "read:old"])
        }
    }

    private static func foreignDatabaseIsRefused(_ suite: StorageSuite) async throws {
        let database = try await suite.open()
        try await database.write { try $0.execute("CREATE TABLE tenant (name TEXT)") }
        #expect(await failure { try await Migrations.run(on: database) } is Migrations.Foreign)
        let target = try await suite.open()
        #expect(
            await failure { try await TenantCopy(from: database, named: "theirs", to: target).run() }
                is TenantCopy.Problem)
        #expect(await failure { try await Migrations.version(of: database) } is SQLError)
    }

    /// A row of each table, as the first schema had them. It stays as it is whatever later steps change.
    static let firstSchemaRows: [SQL] = [
        #"UPDATE tenant SET document = '{"friendly_name":"Old"}'"#,
        #"INSERT INTO client VALUES ('old', 'Old App', '{"client_id":"old","name":"Old App"}', 'digest', NULL, 1, 1)"#,
        """
        INSERT INTO resource_server VALUES ('api', 'old:api', 'Old API',
            '{"identifier":"old:api","name":"Old API","scopes":[{"value":"read:old"}]}', NULL)
        """,
        """
        INSERT INTO client_grant VALUES ('cgr_old', 'old', 'old:api',
            '{"audience":"old:api","client_id":"old","scope":["read:old"]}')
        """,
        #"INSERT INTO connection VALUES ('con_old', 'Old', 'auth0', '{"name":"Old","strategy":"auth0"}')"#,
        "INSERT INTO role VALUES ('rol_old', 'Old', NULL)",
        "INSERT INTO role_permission VALUES ('rol_old', 'old:api', 'read:old')",
        "INSERT INTO signing_key VALUES ('kid', 'current', 'sealed', 'certificate', 1)",
        """
        INSERT INTO user_account VALUES ('auth0|old', 'Old', 'olga@example.com', TRUE, NULL, '{"name":"Olga"}', '{}', '{}',
            FALSE, 1, 1, NULL, 0)
        """,
        "INSERT INTO user_password VALUES ('auth0|old', 'hash', 1)",
        "INSERT INTO user_role VALUES ('auth0|old', 'rol_old')",
        "INSERT INTO user_permission VALUES ('auth0|old', 'old:api', 'direct:old')",
        "INSERT INTO failed_login VALUES ('identifier', '192.0.2.1', 3, 4000000000000)",
        "INSERT INTO session VALUES ('session', 'sid', 'auth0|old', 'Old', 1, 1, 4000000000000, 4000000000000)",
        """
        INSERT INTO login_transaction VALUES ('login', 'browser', 'old', '{"scope":"openid"}', '{"isDenied":false}', 1,
            4000000000000)
        """,
        """
        INSERT INTO authorization_code VALUES ('code', 'authorization', 'old', 'auth0|old', NULL, 'openid', NULL, NULL,
            NULL, NULL, 'sid', 1, FALSE, NULL, 4000000000000)
        """,
        """
        INSERT INTO access_token VALUES ('access', 'authorization', 'old', 'auth0|old', 'openid', 4000000000000)
        """,
        """
        INSERT INTO refresh_token_family VALUES ('family', 'authorization', 'old', 'auth0|old', NULL, 'openid', 'sid', 1,
            FALSE, TRUE, 1, NULL)
        """,
        "INSERT INTO refresh_token VALUES ('refresh', 'family', 0, 1, 1, NULL)",
        "INSERT INTO consent_grant VALUES ('grant', 'auth0|old', 'old', 'old:api', 'read:old', 1)",
    ]

    private static func newerSchemaIsRefused(_ suite: StorageSuite) async throws {
        let database = try await suite.open()
        try await Migrations.run(on: database)
        let future = Migrations.newest + 1
        try await database.write {
            try $0.execute("INSERT INTO schema_migration (number, name) VALUES (\(future), 'from the future')")
        }
        let error = await failure { try await Migrations.run(on: database) } as? Migrations.TooNew
        #expect(error?.found == future)
        #expect(error?.description.contains("schema \(future)") == true)
        #expect(try await Migrations.version(of: database) == future)
    }

    private static func concurrentMigrations(_ suite: StorageSuite) async throws {
        let connections = try await suite.openTwice()
        let ran = try await race(10) { index in
            try await Migrations.run(on: connections[index % connections.count]).map(\.number)
        }
        #expect(ran.flatMap(\.self).sorted() == Array(1...Migrations.newest))
        for connection in connections { #expect(try await Migrations.version(of: connection) == Migrations.newest) }
    }

    private static func failedStepLeavesNothing(_ suite: StorageSuite) async throws {
        let database = try await suite.open()
        let step = await failure {
            try await database.write { transaction in
                try transaction.execute("CREATE TABLE half (id BIGINT PRIMARY KEY)")
                try transaction.execute("CREATE TABLE half (id BIGINT PRIMARY KEY)")
            }
        }
        #expect(step is SQLError)
        #expect(await failure { try await database.read { try $0.rows("SELECT * FROM half") } } is SQLError)
    }
}
