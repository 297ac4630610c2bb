import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("The JWT bearer grant")
struct JWTBearerTests {
    /// The machine with a registered key, which may act for users.
    static func fixtures(_ key: ForeignKey, _ change: (inout Client) -> Void = { _ in }) throws -> Fixtures {
        var fixtures = Fixtures()
        let set: JSONObject = ["keys": [.object(try key.jsonWebKey)]]
        fixtures.change("machine") { client in
            client.grantTypes.insert(.jwtBearer)
            client.keys.set = set
            client.jwtBearer.allowsAnyUser = true
            change(&client)
        }
        return fixtures
    }

    private static func claims(_ server: TestServer, _ changes: JSONObject = [:]) -> JSONObject {
        let now = Int64(server.clock.now.timeIntervalSince1970)
        let claims: JSONObject = [
            "iss": "machine", "sub": .string(User.ada.id), "aud": .string(TestServer.issuer), "iat": .integer(now),
            "exp": .integer(now + 60), "jti": .string(RandomBytes.alphanumeric(20)),
        ]
        return claims.merging(changes) { $1 }.filter { $0.value != .null }
    }

    private static func ask(
        _ server: TestServer, _ assertion: String, _ changes: [String: String?] = [:]
    ) async throws -> TestResponse {
        try await RelyingParty.machine(server).token(
            ["grant_type": GrantType.jwtBearer.rawValue, "assertion": assertion, "audience": "appointments:api"]
                .merging(changes) { $1 })
    }

    private static func ask(
        _ server: TestServer, _ key: ForeignKey, _ changes: JSONObject = [:], header: JSONObject = [:]
    ) async throws -> TestResponse {
        try await ask(server, key.token(claims(server, changes), header: header))
    }

    @Test("RFC 7523 §2.1: an assertion by the registered key stands for a user, with the client grant's scopes alone")
    func user() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let answer = try await Self.ask(server, key)
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            let tokens = try answer.json()
            #expect(tokens["scope"] == "appointments read:notes")
            #expect(tokens["id_token"] == nil && tokens["refresh_token"] == nil)
            let claims = tokens["access_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == .string(User.ada.id) && claims["azp"] == "machine")
            #expect(claims["aud"] == "appointments:api")
            let some = try await Self.ask(server, key.token(Self.claims(server)), ["scope": "read:notes"])
            #expect(try some.json()["scope"] == "read:notes")
            for scope in ["contacts", "openid", "appointments offline_access"] {
                let refused = try await Self.ask(server, key.token(Self.claims(server)), ["scope": scope])
                #expect(try refused.json()["error"] == "invalid_scope")
            }
        }
    }

    @Test("RFC 7523 §2.1: a client may stand for itself")
    func client() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key) { $0.jwtBearer.allowsAnyUser = false }) { server in
            let answer = try await Self.ask(server, key, ["sub": "machine"]).json()
            #expect(answer["access_token"]?.string?.claims["sub"] == "machine@clients")
            #expect(answer["scope"] == "appointments read:notes")
        }
    }

    @Test("Whether a client stands for itself in an organization is what its client grant says, as elsewhere")
    func organizations() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            func error(_ organization: String?, sub: String = "machine") async throws -> JSONValue? {
                try await Self.ask(
                    server, key.token(Self.claims(server, ["sub": .string(sub)])), ["organization": organization]
                ).json()["error"]
            }
            #expect(try await error("org_0123456789abcdef") == "invalid_request")
            #expect(try await error("org_0123456789abcdef", sub: User.ada.id) == "invalid_request")
            var grant = ClientGrant.machineAppointments
            (grant.organizationUsage, grant.allowsAnyOrganization) = (.require, true)
            let written = grant
            let organization = Organization(id: "org_0123456789abcdef", name: "acme")
            try await server.services.stores.database.write { transaction in
                try ClientGrantStore.save(written, in: transaction)
                try OrganizationStore.save(organization, at: Date(), in: transaction)
            }
            try await server.services.configuration.refresh()
            #expect(try await error(nil) == "invalid_request")
            let answer = try await Self.ask(
                server, key.token(Self.claims(server, ["sub": "machine"])), ["organization": organization.id]
            ).json()
            #expect(answer["access_token"]?.string?.claims["org_id"] == "org_0123456789abcdef")
        }
    }

    @Test("A client acts for users only where its settings say so; it learns nothing of others' names")
    func impersonation() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key) { $0.jwtBearer.allowsAnyUser = false }) { server in
            let (ada, nobody) = (try await Self.ask(server, key), try await Self.ask(server, key, ["sub": "nobody"]))
            for answer in [ada, nobody] { #expect(try answer.json()["error"] == "invalid_grant") }
            #expect(ada.status == nobody.status)
            #expect(try ada.json()["error_description"] == nobody.json()["error_description"])
        }
        try await TestServer.run(Self.fixtures(key)) { server in
            try await server.services.stores.database.write {
                try $0.execute("UPDATE user_account SET blocked = TRUE WHERE user_id = \(User.ada.id)")
            }
            for subject in [User.ada.id, "auth0|nobody", "regular-web-app"] {
                let answer = try await Self.ask(server, key, ["sub": .string(subject)])
                #expect(try answer.json()["error"] == "invalid_grant")
            }
        }
        for change in [{ $0.isFirstParty = false }, { $0.grantTypes.remove(.jwtBearer) }] as [(inout Client) -> Void] {
            try await TestServer.run(Self.fixtures(key, change)) { server in
                let answer = try await Self.ask(server, key)
                #expect(try answer.json()["error"] == "unauthorized_client")
            }
        }
    }

    @Test("RFC 7523 §3: what lacks a claim, has a wrong one, or was signed by somebody else is an invalid_grant")
    func refusals() async throws {
        let (key, other) = (try ForeignKey.rsa(), try ForeignKey.rsa("other", keyID: "rsa"))
        try await TestServer.run(Self.fixtures(key)) { server in
            let now = Int64(server.clock.now.timeIntervalSince1970)
            for changes in [
                ["iss": "regular-web-app"], ["iss": .null], ["sub": .null], ["aud": .null],
                ["aud": "https://x.example/"],
                ["aud": [.string(TestServer.issuer)]], ["exp": .null], ["exp": .integer(now - 11)],
                ["exp": .integer(now + 311)], ["nbf": .integer(now + 60)], ["iat": .integer(now + 60)],
                ["jti": .null], ["jti": ""], ["jti": 5],
            ] as [JSONObject] {
                let answer = try await Self.ask(server, key, changes)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_grant", "\(changes)")
            }
            for assertion in [
                try other.token(Self.claims(server)), try key.token(Self.claims(server), header: ["typ": "dpop+jwt"]),
                try key.token(Self.claims(server), header: ["typ": "at+jwt"]),
                try ForeignKey.secret(Client.machineSecret).token(Self.claims(server)), "x", "a.b.c",
            ] {
                #expect(try await Self.ask(server, assertion).json()["error"] == "invalid_grant")
            }
            let party = RelyingParty.machine(server)
            let none = try await party.token(
                ["grant_type": GrantType.jwtBearer.rawValue, "audience": "appointments:api"])
            #expect(try none.json()["error"] == "invalid_request")
            let wrong = try await Self.ask(server, key.token(Self.claims(server)), ["client_secret": "wrong"])
            #expect(wrong.status == .unauthorized)
            let target = try await Self.ask(server, key.token(Self.claims(server)), ["audience": "nothing"])
            #expect(try target.json()["error"] == "invalid_target")
            #expect(try await Self.ask(server, key).status == .ok)
        }
    }

    @Test("RFC 7523 §3: an assertion counts once, whoever races with it")
    func replay() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let assertion = try key.token(Self.claims(server))
            let statuses = try await withThrowingTaskGroup { group in
                for _ in 0..<8 { group.addTask { try await Self.ask(server, assertion).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .ok } == 1)
            #expect(try await Self.ask(server, assertion).json()["error"] == "invalid_grant")
        }
    }

    @Test("Role-based access control and client grants hold for assertions too")
    func permissions() async throws {
        let key = try ForeignKey.rsa()
        var fixtures = try Self.fixtures(key)
        fixtures.changeAPI { $0.enforcesPolicies = true }
        try await TestServer.run(fixtures) { server in
            #expect(try await Self.ask(server, key).json()["scope"] == nil)
            try await server.services.stores.database.write {
                try $0.execute(
                    "INSERT INTO user_permission VALUES (\(User.ada.id), 'appointments:api', 'read:notes')")
            }
            #expect(try await Self.ask(server, key).json()["scope"] == "read:notes")
        }
        fixtures.clientGrants = []
        try await TestServer.run(fixtures) { server in
            let answer = try await Self.ask(server, key)
            #expect(try answer.json()["error"] == "invalid_target")
        }
    }

    @Test("RFC 7523 §3: an assertion that was used as a grant signs nobody in as the client, nor the other way round")
    func crossUse() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key) { $0.tokenEndpointAuthMethod = .privateKeyJWT }) { server in
            let party = RelyingParty(server: server, clientID: "machine", secret: nil)
            let credentials = { (assertion: String) -> [String: String?] in
                [
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    "client_assertion": assertion,
                ]
            }
            let own = { try key.token(Self.claims(server, ["sub": "machine"])) }
            let grant = try own()
            let request: [String: String?] = [
                "grant_type": GrantType.jwtBearer.rawValue, "assertion": grant, "audience": "appointments:api",
            ]
            #expect(try await party.token(request.merging(credentials(own())) { $1 }).status == .ok)
            let replayed = try await party.token(
                ["grant_type": "client_credentials", "audience": "appointments:api"].merging(credentials(grant)) { $1 })
            #expect(replayed.status == .unauthorized)
            let used = try own()
            #expect(
                try await party.token(
                    ["grant_type": "client_credentials", "audience": "appointments:api"].merging(credentials(used)) {
                        $1
                    }
                ).status == .ok)
            let other = try await party.token(
                request.merging(["assertion": used]) { $1 }.merging(credentials(own())) { $1 })
            #expect(try other.json()["error"] == "invalid_grant")
        }
    }
}
