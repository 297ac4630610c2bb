import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Introspection")
struct IntrospectionTests {
    static let wanted: [String: String?] = [
        "audience": "appointments:api", "scope": "openid email appointments offline_access",
    ]

    static func tokens(
        _ server: TestServer, _ changes: [String: String?] = wanted
    ) async throws -> (access: String, refresh: String, id: String) {
        let tokens = try await RelyingParty.regularWebApp(server).tokens(changes)
        return (
            tokens["access_token"]?.string ?? "", tokens["refresh_token"]?.string ?? "",
            tokens["id_token"]?.string ?? ""
        )
    }

    @Test("RFC 7662 §2.2: an API's own client learns what an access token for the API means")
    func meaning() async throws {
        try await TestServer.run(.withAPIClient()) { server in
            let token = try await Self.tokens(server).access
            let answer = try await RelyingParty.appointmentsAPI(server).introspect(token)
            let claims = token.claims
            #expect(answer["active"] == true)
            #expect(answer["client_id"] == "regular-web-app")
            #expect(answer["username"] == "ada@example.com")
            #expect(answer["token_type"] == "Bearer")
            for name in ["scope", "sub", "aud", "iss", "iat", "exp"] {
                #expect(answer[name] != nil && answer[name] == claims[name], "\(name)")
            }
        }
    }

    @Test("RFC 7662 §2.2: tokens of every dialect and algorithm, and a client's own, are introspected")
    func dialects() async throws {
        for algorithm in SigningAlgorithm.allCases {
            for dialect in ResourceServer.TokenDialect.allCases {
                var fixtures = Fixtures.withAPIClient()
                fixtures.settings.signingAlgorithms = SigningAlgorithms([algorithm])
                fixtures.changeAPI { ($0.signingAlgorithm, $0.tokenDialect) = (algorithm, dialect) }
                fixtures.resourceServers[0].signingSecret = algorithm == .hs256 ? "the API's signing secret" : nil
                try await TestServer.run(fixtures) { server in
                    let token = try await Self.tokens(server).access
                    let answer = try await RelyingParty.appointmentsAPI(server).introspect(token)
                    #expect(answer["active"] == true && answer["client_id"] == "regular-web-app")
                    #expect(answer["jti"] != nil)
                    let machine = try await RelyingParty.machine(server)
                        .token(["grant_type": "client_credentials", "audience": "appointments:api"])
                    let own = try machine.json()["access_token"]?.string ?? ""
                    let answerOfOwn = try await RelyingParty.appointmentsAPI(server).introspect(own)
                    #expect(answerOfOwn["active"] == true && answerOfOwn["sub"] == "machine@clients")
                    #expect(answerOfOwn["username"] == nil)
                }
            }
        }
    }

    @Test(
        "RFC 7662 §2.1: opaque and refresh tokens are their client's affair; a hint, even a wrong one, changes nothing")
    func ownTokens() async throws {
        try await TestServer.run(.withAPIClient()) { server in
            let party = RelyingParty.regularWebApp(server)
            let opaque = try await Self.tokens(server, ["scope": "openid email"]).access
            let refresh = try await Self.tokens(server).refresh
            for hint in [nil, "access_token", "refresh_token", "nonsense"] {
                let answer = try await party.introspect(opaque, hint: hint)
                #expect(answer["active"] == true && answer["sub"] == .string(User.ada.id))
                #expect(answer["aud"] == "https://login.example.com/userinfo" && answer["scope"] == "openid email")
                #expect(answer["exp"] == .integer(Int64(server.clock.now.timeIntervalSince1970) + 86_400))
                let refreshAnswer = try await party.introspect(refresh, hint: hint)
                #expect(refreshAnswer["active"] == true && refreshAnswer["client_id"] == "regular-web-app")
                #expect(refreshAnswer["token_type"] == nil && refreshAnswer["aud"] == "appointments:api")
            }
            for other in [RelyingParty.thirdParty(server), .appointmentsAPI(server)] {
                #expect(try await other.introspect(opaque) == ["active": false])
                #expect(try await other.introspect(refresh) == ["active": false])
            }
        }
    }

    @Test("RFC 7662 §2.2: what does not concern the caller, and what is no access token, is inactive without a word")
    func inactive() async throws {
        var fixtures = Fixtures.withAPIClient()
        var other = ResourceServer(id: "other", name: "Other", identifier: "other:api")
        other.skipsConsentForVerifiableFirstPartyClients = true
        fixtures.resourceServers.append((other, nil))
        try await TestServer.run(fixtures) { server in
            let api = RelyingParty.appointmentsAPI(server)
            let (access, _, id) = try await Self.tokens(server)
            let foreign = try await Self.tokens(server, ["audience": "other:api", "scope": "openid"]).access
            let parts = access.split(separator: ".").map(String.init)
            let unsigned = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT","kid":"key-current"}"#.utf8))
            for token in [
                id, foreign, "unknown", "a.b.c", "...", "\(unsigned).\(parts[1]).", "\(parts[0]).\(parts[1]).AAAA",
                "\(parts[0]).\(parts[1])x.\(parts[2])",
            ] {
                #expect(try await api.introspect(token) == ["active": false])
            }
            #expect(try await RelyingParty.machine(server).introspect(access) == ["active": false])
            #expect(try await RelyingParty.regularWebApp(server).introspect(id) == ["active": false])
            #expect(try await RelyingParty.regularWebApp(server).introspect(access)["active"] == true)
        }
    }

    @Test("RFC 7662 §2.1, §2.3: nobody asks without credentials, nor without a token; answers are not kept")
    func callers() async throws {
        try await TestServer.run(.withAPIClient()) { server in
            let token = try await Self.tokens(server).access
            let publicClient = try await RelyingParty.singlePageApp(server).post("/oauth/introspect", ["token": token])
            #expect(publicClient.status == .unauthorized)
            #expect(try publicClient.json()["error"] == "invalid_client")
            let api = RelyingParty.appointmentsAPI(server)
            let wrong = try await api.post("/oauth/introspect", ["token": token, "client_secret": "wrong"])
            #expect(wrong.status == .unauthorized)
            let nobody = try await server.post("/oauth/introspect", form: [("token", token)])
            #expect(nobody.status == .unauthorized)
            let empty = try await api.post("/oauth/introspect", [:])
            #expect(empty.status == .badRequest)
            #expect(try empty.json()["error"] == "invalid_request")
            let answer = try await api.post("/oauth/introspect", ["token": token])
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            #expect(answer.headers[.contentType]?.hasPrefix("application/json") == true)
            let asJSON = try await server.post(
                "/oauth/introspect",
                json: """
                    {"client_id": "appointments-api", "client_secret": "\(Client.appointmentsAPISecret)",
                     "token": "\(token)"}
                    """)
            #expect(try asJSON.json()["active"] == true)
        }
    }

    /// What takes a token back, and whether it takes back access tokens, refresh tokens, opaque tokens.
    private static let levels: [(name: String, step: @Sendable (TestServer, String) async throws -> Void)] = [
        ("expired", { server, _ in server.clock.advance(by: 2_592_001) }),
        (
            "the user is blocked",
            { server, _ in
                try await server.services.stores.database.write {
                    try $0.execute("UPDATE user_account SET blocked = TRUE")
                }
            }
        ),
        (
            "the user is deleted",
            { server, _ in
                try await server.services.stores.database.write {
                    try $0.execute("DELETE FROM user_account WHERE user_id = \(User.ada.id)")
                }
            }
        ),
        (
            "the client is deleted",
            { server, clientID in
                try await server.services.stores.database.write { try ClientStore.delete(clientID, in: $0) }
                try await server.services.configuration.refresh()
            }
        ),
    ]

    @Test("Introspection sees every revocation at once: expiry, user blocked or deleted, client deleted")
    func revocationLevels() async throws {
        for (name, step) in Self.levels {
            var fixtures = Fixtures.withAPIClient()
            fixtures.change("regular-web-app") { $0.refreshToken.absoluteLifetime = 2_592_000 }
            try await TestServer.run(fixtures) { server in
                let (access, refresh, _) = try await Self.tokens(server)
                let opaque = try await Self.tokens(server, ["scope": "openid"]).access
                let (api, party) = (RelyingParty.appointmentsAPI(server), RelyingParty.regularWebApp(server))
                #expect(try await api.introspect(access)["active"] == true)
                #expect(try await party.introspect(refresh)["active"] == true)
                #expect(try await party.introspect(opaque)["active"] == true)
                try await step(server, "regular-web-app")
                #expect(try await api.introspect(access) == ["active": false], "\(name)")
                guard name != "the client is deleted" else { return }
                #expect(try await party.introspect(refresh) == ["active": false], "\(name)")
                #expect(try await party.introspect(opaque) == ["active": false], "\(name)")
            }
        }
    }

    @Test("Introspection sees at once that the key, the API or the client grant is gone")
    func configurationLevels() async throws {
        for statement: SQL in [
            "DELETE FROM signing_key WHERE kid = 'key-current'", "DELETE FROM resource_server",
            "DELETE FROM client_grant",
        ] {
            try await TestServer.run(.withAPIClient()) { server in
                let answer = try await RelyingParty.machine(server)
                    .token(["grant_type": "client_credentials", "audience": "appointments:api"])
                let token = try answer.json()["access_token"]?.string ?? ""
                let api = RelyingParty.appointmentsAPI(server)
                #expect(try await api.introspect(token)["active"] == true)
                _ = try await server.services.signingKeys.rotate(at: server.clock.now)
                try await server.services.stores.database.write { transaction in
                    try transaction.execute(statement)
                    try TenantStore.configurationChanged(in: transaction)
                }
                try await server.services.configuration.refresh()
                #expect(try await api.introspect(token) == ["active": false])
            }
        }
    }

    @Test("A replaced, revoked, idle or no longer allowed refresh token is inactive; asking is no use of it")
    func refreshTokens() async throws {
        try await TestServer.run(RefreshTokenTests.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await RefreshTokenTests.firstToken(party)
            server.clock.advance(by: 1_000_000)
            let answer = try await party.introspect(first)
            #expect(answer["active"] == true)
            #expect(answer["exp"] == .integer(Int64(server.clock.now.timeIntervalSince1970) + 296_000))
            let second = try await party.refresh(first).json()["refresh_token"]?.string ?? ""
            #expect(try await party.introspect(first) == ["active": false])
            #expect(try await party.introspect(second)["active"] == true)
            #expect(try await party.introspect(second)["active"] == true)
            server.clock.advance(by: 1_296_001)
            #expect(try await party.introspect(second) == ["active": false])
            let third = try await RefreshTokenTests.firstToken(party)
            #expect(try await party.introspect(third)["active"] == true)
            #expect(try await party.revoke(third).status == .ok)
            #expect(try await party.introspect(third) == ["active": false])
        }
    }

    @Test("RFC 8414 §2: the metadata names the endpoint and the methods of confidential clients")
    func metadata() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/.well-known/openid-configuration").json()
            #expect(document["introspection_endpoint"] == "https://login.example.com/oauth/introspect")
            let methods = document["introspection_endpoint_auth_methods_supported"]?.array ?? []
            #expect(methods.contains("client_secret_basic") && !methods.contains("none"))
        }
    }
}
