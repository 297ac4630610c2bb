import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Token exchange")
struct TokenExchangeTests {
    static let accessTokenType = TokenExchangeGrant.accessTokenType

    /// Two APIs behind the appointments API, whose own clients may act on behalf of users.
    static func fixtures(_ change: (inout Fixtures) -> Void = { _ in }) -> Fixtures {
        var fixtures = Fixtures.withAPIClient()
        fixtures.change("appointments-api") { client in
            client.grantTypes = [.tokenExchange]
            client.tokenExchange.allowsOnBehalfOf = true
        }
        var rooms = ResourceServer(id: "rooms", name: "Rooms", identifier: "rooms:api")
        rooms.scopes = ["read:rooms", "book:rooms", "clean:rooms"].map { .init(value: $0) }
        rooms.tokenLifetime = 2_592_000
        fixtures.resourceServers.append((rooms, nil))
        var client = Client.appointmentsAPI
        (client.clientID, client.resourceServerIdentifier) = ("rooms-api", "rooms:api")
        (client.grantTypes, client.tokenExchange.allowsOnBehalfOf) = ([.tokenExchange], true)
        fixtures.clients.append((client, "rooms-api-secret"))
        for (clientID, audience, scope) in [
            ("appointments-api", "rooms:api", ["read:rooms", "book:rooms", "unknown"]),
            ("rooms-api", "appointments:api", ["appointments"]),
        ] {
            fixtures.clientGrants.append(
                ClientGrant(id: "cgr_\(clientID)", clientID: clientID, audience: audience, scope: Scope(scope)))
        }
        change(&fixtures)
        return fixtures
    }

    static func userToken(_ server: TestServer) async throws -> String {
        let wanted: [String: String?] = ["audience": "appointments:api", "scope": "openid email appointments contacts"]
        return try await RelyingParty.regularWebApp(server).tokens(wanted)["access_token"]?.string ?? ""
    }

    static func exchange(
        _ party: RelyingParty, _ token: String, _ changes: [String: String?] = [:]
    ) async throws -> TestResponse {
        try await party.token(
            [
                "grant_type": GrantType.tokenExchange.rawValue, "subject_token": token,
                "subject_token_type": accessTokenType, "audience": "rooms:api",
            ].merging(changes) { $1 })
    }

    @Test("RFC 8693 §2.2, §4.1: an API exchanges what it was sent; the user stays the subject, act names who acts")
    func onBehalfOf() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let api = RelyingParty.appointmentsAPI(server)
            let sent = try await Self.userToken(server)
            for requested in [nil, Self.accessTokenType] {
                let answer = try await Self.exchange(api, sent, ["requested_token_type": requested])
                #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
                let members = try answer.json()
                #expect(members["issued_token_type"] == .string(Self.accessTokenType))
                #expect(members["token_type"] == "Bearer" && members["scope"] == "read:rooms book:rooms")
                #expect(members["refresh_token"] == nil && members["id_token"] == nil)
                let claims = members["access_token"]?.string?.claims ?? [:]
                #expect(claims["sub"] == .string(User.ada.id) && claims["aud"] == "rooms:api")
                #expect(claims["azp"] == "appointments-api")
                #expect(claims["act"] == ["sub": "appointments-api", "act": ["sub": "regular-web-app"]])
            }
        }
    }

    @Test("The new token ends with the old one, however long the API's tokens live")
    func lifetime() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let sent = try await Self.userToken(server)
            server.clock.advance(by: 80_000)
            let answer = try await Self.exchange(.appointmentsAPI(server), sent).json()
            #expect(answer["expires_in"] == 6_400)
            #expect(answer["access_token"]?.string?.claims["exp"] == sent.claims["exp"])
        }
    }

    @Test("RFC 8693 §2.1: scope only shrinks: to what is asked for, the client grant gives and the user may")
    func scopes() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let (api, sent) = (RelyingParty.appointmentsAPI(server), try await Self.userToken(server))
            for (scope, expected) in [
                ("read:rooms", "read:rooms"), ("read:rooms clean:rooms openid email appointments", "read:rooms"),
            ] {
                let answer = try await Self.exchange(api, sent, ["scope": scope]).json()
                #expect(answer["scope"]?.string == expected)
                #expect(answer["access_token"]?.string?.claims["scope"]?.string == expected)
            }
            for scope in ["clean:rooms", "openid", "offline_access"] {
                #expect(try await Self.exchange(api, sent, ["scope": scope]).json()["error"] == "invalid_scope")
            }
            // For the API itself a token with less of what the old one had.
            let own = try await Self.exchange(
                api, sent, ["audience": "appointments:api", "scope": "appointments read:notes"]
            ).json()
            #expect(own["scope"] == "appointments")
        }
        let enforced = Self.fixtures { $0.resourceServers[1].0.enforcesPolicies = true }
        try await TestServer.run(enforced) { server in
            let (api, sent) = (RelyingParty.appointmentsAPI(server), try await Self.userToken(server))
            #expect(try await Self.exchange(api, sent, ["scope": "read:rooms"]).json()["error"] == "invalid_scope")
            try await server.services.stores.database.write {
                try $0.execute("INSERT INTO user_permission VALUES (\(User.ada.id), 'rooms:api', 'read:rooms')")
            }
            #expect(try await Self.exchange(api, sent).json()["scope"] == "read:rooms")
        }
    }

    @Test("RFC 8693 §2.2.2: a token that is none, has ended, or is for another API is an invalid_request")
    func subjectTokens() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let api = RelyingParty.appointmentsAPI(server)
            let sent = try await Self.userToken(server)
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["scope": "openid offline_access"])
            let machine = try await RelyingParty.machine(server)
                .token(["grant_type": "client_credentials", "audience": "appointments:api"])
            let downstream = try await Self.exchange(api, sent).json()["access_token"]?.string
            for token in [
                "x", "x.y.z", tokens["access_token"]?.string, tokens["id_token"]?.string,
                tokens["refresh_token"]?.string, try machine.json()["access_token"]?.string, downstream,
                String(sent.dropLast(4)) + "AAAA",
            ] {
                let answer = try await Self.exchange(api, token ?? "")
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_request")
            }
            try await server.services.stores.database.write {
                try $0.execute("UPDATE user_account SET blocked = TRUE")
            }
            #expect(try await Self.exchange(api, sent).json()["error"] == "invalid_request")
            try await server.services.stores.database.write {
                try $0.execute("UPDATE user_account SET blocked = FALSE")
            }
            #expect(try await Self.exchange(api, sent).status == .ok)
            server.clock.advance(by: 86_401)
            #expect(try await Self.exchange(api, sent).json()["error"] == "invalid_request")
        }
    }

    @Test(
        "RFC 8693 §2.1, §3: only access tokens are exchanged for access tokens, and nobody else is named as the actor")
    func types() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let (api, sent) = (RelyingParty.appointmentsAPI(server), try await Self.userToken(server))
            for changes in [
                ["subject_token": nil], ["subject_token_type": nil], ["audience": nil],
                ["subject_token_type": "urn:ietf:params:oauth:token-type:id_token"],
                ["requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"],
                ["actor_token": sent, "actor_token_type": Self.accessTokenType],
            ] as [[String: String?]] {
                let answer = try await Self.exchange(api, sent, changes)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_request", "\(changes)")
            }
        }
    }

    @Test("RFC 8693 §2.2.2: an API that is none, or that no client grant opens, is an invalid_target")
    func targets() async throws {
        for dialect in WireDialect.allCases {
            let fixtures = Self.fixtures { fixtures in
                fixtures.settings.wireDialect = dialect
                fixtures.clientGrants.removeAll { $0.audience == "rooms:api" }
            }
            try await TestServer.run(fixtures) { server in
                let (api, sent) = (RelyingParty.appointmentsAPI(server), try await Self.userToken(server))
                for audience in ["rooms:api", "nothing", "https://login.example.com/userinfo"] {
                    let answer = try await Self.exchange(api, sent, ["audience": audience])
                    #expect(answer.status == (dialect == .auth0 ? .forbidden : .badRequest))
                    #expect(try answer.json()["error"] == (dialect == .auth0 ? "access_denied" : "invalid_target"))
                }
            }
        }
    }

    @Test("Auth0: only an API's own client that is allowed to exchanges, and it proves itself")
    func clients() async throws {
        let fixtures = Self.fixtures { fixtures in
            fixtures.change("regular-web-app") { $0.grantTypes.insert(.tokenExchange) }
            fixtures.change("single-page-app") { $0.grantTypes.insert(.tokenExchange) }
            fixtures.change("rooms-api") { $0.tokenExchange.allowsOnBehalfOf = false }
        }
        try await TestServer.run(fixtures) { server in
            let sent = try await Self.userToken(server)
            let rooms = RelyingParty(server: server, clientID: "rooms-api", secret: "rooms-api-secret")
            for party in [.regularWebApp(server), .singlePageApp(server), rooms, .machine(server)] {
                let answer = try await Self.exchange(party, sent)
                #expect(try answer.json()["error"] == "unauthorized_client", "\(party.clientID)")
            }
            let wrong = try await Self.exchange(.appointmentsAPI(server), sent, ["client_secret": "wrong"])
            #expect(wrong.status == .unauthorized)
        }
    }

    @Test("RFC 8693 §4.1: each exchange adds a level to act, and five are the most")
    func chain() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let apis: [(RelyingParty, String)] = [
                (.appointmentsAPI(server), "rooms:api"),
                (RelyingParty(server: server, clientID: "rooms-api", secret: "rooms-api-secret"), "appointments:api"),
            ]
            var token = try await Self.userToken(server)
            for step in 0..<4 {
                let (api, audience) = apis[step % 2]
                token =
                    try await Self.exchange(api, token, ["audience": audience]).json()["access_token"]?.string ?? ""
                #expect(token.claims["sub"] == .string(User.ada.id))
            }
            var names: [String] = []
            var actor = token.claims["act"]?.object
            while let next = actor {
                names.append(next["sub"]?.string ?? "")
                actor = next["act"]?.object
            }
            #expect(
                names == ["rooms-api", "appointments-api", "rooms-api", "appointments-api", "regular-web-app"])
            let refused = try await Self.exchange(apis[0].0, token)
            #expect(refused.status == .badRequest)
            #expect(try refused.json()["error_description"]?.string?.contains("too often") == true)
            // What it was exchanged for can be introspected by the API that it is for.
            let answer = try await RelyingParty.appointmentsAPI(server).introspect(token)
            #expect(answer["active"] == true && answer["act"] == token.claims["act"])
        }
    }
}
