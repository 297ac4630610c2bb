import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Client authentication with assertions (RFC 7523, OpenID Connect Core §9)")
struct ClientAssertionTests {
    private static let keysURI = "https://app.example.com/keys.json"

    /// The machine, proved by `key` in one of the ways to register one.
    private static func fixtures(
        _ key: ForeignKey, dialect: WireDialect = .standard, _ change: (inout Client) -> Void = { _ in }
    ) throws -> Fixtures {
        var fixtures = Fixtures()
        fixtures.settings.wireDialect = dialect
        let set: JSONObject = ["keys": [.object(try key.jsonWebKey)]]
        fixtures.change("machine") { client in
            client.tokenEndpointAuthMethod = .privateKeyJWT
            client.keys.set = set
            change(&client)
        }
        return fixtures
    }

    private static func claims(_ server: TestServer, _ changes: JSONObject = [:]) -> JSONObject {
        let now = Int64(server.clock.now.timeIntervalSince1970)
        let claims: JSONObject = [
            "iss": "machine", "sub": "machine", "aud": .string(TestServer.issuer), "iat": .integer(now),
            "exp": .integer(now + 60), "jti": .string(RandomBytes.alphanumeric(20)),
        ]
        return claims.merging(changes) { $1 }.filter { $0.value != .null }
    }

    private static func ask(
        _ server: TestServer, _ assertion: String, _ more: [(String, String)] = [], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await server.post(
            "/oauth/token",
            form: [
                ("grant_type", "client_credentials"), ("audience", "appointments:api"), ("client_assertion", assertion),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ] + more, headers: headers)
    }

    private static func ask(
        _ server: TestServer, _ key: ForeignKey, _ changes: JSONObject = [:], header: JSONObject = [:]
    ) async throws -> TestResponse {
        try await ask(server, key.token(claims(server, changes), header: header))
    }

    @Test("private_key_jwt: an assertion by the registered key proves the client, with client_id or without")
    func works() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            #expect(try await Self.ask(server, key).status == .ok)
            let named = try await Self.ask(server, key.token(Self.claims(server)), [("client_id", "machine")])
            #expect(named.status == .ok)
            let other = try await Self.ask(server, key.token(Self.claims(server)), [("client_id", "regular-web-app")])
            #expect(other.status == .unauthorized)
        }
    }

    @Test("Auth0's credentials in PEM, two for a rotation, until each expires")
    func credentials() async throws {
        let (old, new) = (try ForeignKey.rsa(keyID: nil), try ForeignKey.rsa("other", keyID: "new"))
        let fixtures = try Self.fixtures(old) { client in
            client.keys.set = nil
            client.keys.credentials = [
                .init(pem: old.pem, expiresAt: TestClock().now.addingTimeInterval(3600)),
                .init(pem: new.pem, algorithm: .ps256, keyID: "new"),
            ]
        }
        try await TestServer.run(fixtures) { server in
            #expect(try await Self.ask(server, old).status == .ok)
            let token = try new.token(Self.claims(server), algorithm: "PS256")
            #expect(try await Self.ask(server, token).status == .ok)
            #expect(try await Self.ask(server, new).status == .unauthorized)
            server.clock.advance(by: 3601)
            #expect(try await Self.ask(server, old).status == .unauthorized)
        }
    }

    @Test("jwks_uri: a client changes its keys whenever it likes, and nobody makes this server ask it at will")
    func rotation() async throws {
        let (old, new) = (try ForeignKey.rsa(keyID: "old"), ForeignKey.p256(keyID: "new"))
        let stranger = ForeignKey.p256(keyID: "stranger")
        let web = SimulatedWeb()
        let fixtures = try Self.fixtures(old) { ($0.keys.set, $0.keys.setURI) = (nil, Self.keysURI) }
        try await TestServer.run(fixtures, outbound: web) { server in
            let none = try await Self.ask(server, old)
            #expect(none.status == .unauthorized)
            #expect(try none.json()["error_description"]?.string?.contains("jwks_uri gives no keys") == true)
            try web.put([old], at: Self.keysURI)
            // A failure is remembered for a moment too.
            #expect(try await Self.ask(server, old).status == .unauthorized)
            #expect(web.requests.count == 1)
            server.clock.advance(by: 31)
            #expect(try await Self.ask(server, old).status == .ok)
            #expect(try await Self.ask(server, old).status == .ok)
            #expect(web.requests.count == 2)
            try web.put([new], at: Self.keysURI)
            server.clock.advance(by: 31)
            #expect(try await Self.ask(server, new).status == .ok)
            #expect(web.requests.count == 3)
            for _ in 0..<5 { #expect(try await Self.ask(server, stranger).status == .unauthorized) }
            #expect(try await Self.ask(server, old).status == .unauthorized)
            #expect(web.requests.count == 3)
            web.put(nil, at: Self.keysURI)
            server.clock.advance(by: 700)
            #expect(try await Self.ask(server, new).status == .ok)
            server.clock.advance(by: 3700)
            #expect(try await Self.ask(server, new).status == .unauthorized)
        }
    }

    @Test(
        "RFC 7523 §3: each claim is checked, and an audience is one text",
        arguments: [
            ["iss": "regular-web-app"], ["iss": nil], ["sub": "regular-web-app"], ["sub": nil], ["aud": nil],
            ["aud": "https://evil.example.com/"], ["aud": "https://login.example.com"],
            ["aud": ["https://login.example.com/"]],
            ["aud": ["https://login.example.com/", "https://evil.example.com/"]],
            ["aud": "https://login.example.com/ https://evil.example.com/"],
            ["aud": "https://login.example.com/oauth/revoke"], ["exp": nil], ["exp": "4000000000"], ["exp": 1],
            ["exp": 4_000_000_000], ["exp": 1e300], ["iat": 4_000_000_000], ["iat": "now"], ["nbf": 4_000_000_000],
            ["jti": nil], ["jti": ""], ["jti": 7], ["jti": .string(String(repeating: "j", count: 256))],
        ] as [JSONObject])
    func claims(changes: JSONObject) async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let answer = try await Self.ask(server, key, changes)
            #expect(answer.status == .unauthorized)
            #expect(try answer.json()["error"] == "invalid_client")
        }
    }

    @Test("OpenID Connect Core §9: the token endpoint is an audience too, but not in Auth0's dialect")
    func tokenEndpointAudience() async throws {
        let key = try ForeignKey.rsa()
        let changes: JSONObject = ["aud": "https://login.example.com/oauth/token"]
        try await TestServer.run(Self.fixtures(key)) { server in
            let answer = try await Self.ask(server, key, changes)
            #expect(answer.status == .ok)
        }
        try await TestServer.run(Self.fixtures(key, dialect: .auth0)) { server in
            let answer = try await Self.ask(server, key, changes)
            #expect(answer.status == .unauthorized)
            #expect(try answer.json()["error"] == "invalid_client")
            #expect(try answer.json()["error_description"]?.string?.contains("'aud' must be the issuer") == true)
            let long = try await Self.ask(server, key, ["jti": .string(String(repeating: "j", count: 65))])
            #expect(long.status == .unauthorized)
        }
    }

    @Test("RFC 7523 §3: exp is five minutes ahead at most; clocks may differ by ten seconds")
    func times() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let now = Int64(server.clock.now.timeIntervalSince1970)
            for (seconds, isGood) in [(-11, false), (-9, true), (309, true), (311, false)] as [(Int64, Bool)] {
                let answer = try await Self.ask(server, key, ["exp": .integer(now + seconds)])
                #expect((answer.status == .ok) == isGood, "\(seconds)")
            }
            #expect(try await Self.ask(server, key, ["iat": .integer(now + 9)]).status == .ok)
            #expect(try await Self.ask(server, key, ["iat": .integer(now + 11)]).status == .unauthorized)
        }
    }

    @Test("RFC 7523 §3: an assertion counts once, however many race with it; another client's jti is another")
    func replay() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let assertion = try key.token(Self.claims(server, ["jti": "the same"]))
            let good = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { try await Self.ask(server, assertion).status == .ok } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(good == 1)
            let again = try await Self.ask(server, assertion)
            #expect(try again.json()["error_description"]?.string?.contains("used before") == true)
            let now = Int64(server.clock.now.timeIntervalSince1970)
            #expect(
                try await Self.ask(server, key, ["jti": "the same", "exp": .integer(now + 90)]).status == .unauthorized)
            // A sweep forgets it only when it would be refused anyway.
            server.clock.advance(by: 69)
            _ = try await server.services.stores.expiredRows.deleteBatch(at: server.services.now())
            #expect(try await Self.ask(server, assertion).status == .unauthorized)
        }
    }

    @Test("RFC 8725: no key of the token's own, no other kind of token, nobody else's key")
    func forgeries() async throws {
        let (key, attacker) = (try ForeignKey.rsa(), try ForeignKey.rsa("other"))
        try await TestServer.run(Self.fixtures(key)) { server in
            let headers: [JSONObject] = [
                [:], ["jwk": .object(try attacker.jsonWebKey)], ["jku": .string(Self.keysURI)], ["kid": nil],
            ]
            for header in headers {
                #expect(try await Self.ask(server, attacker, header: header).status == .unauthorized)
            }
            for type in ["at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "id_token+jwt"] as [JSONValue] {
                #expect(try await Self.ask(server, key, header: ["typ": type]).status == .unauthorized)
            }
            #expect(try await Self.ask(server, key, header: ["typ": "client-authentication+jwt"]).status == .ok)
            let unsigned = try ForeignKey.secret("").token(Self.claims(server), algorithm: "none")
            #expect(try await Self.ask(server, unsigned).status == .unauthorized)
            let confused = try ForeignKey.secret(key.pem, keyID: "rsa").token(Self.claims(server))
            #expect(try await Self.ask(server, confused).status == .unauthorized)
            let padded = try key.token(Self.claims(server, ["x": .string(String(repeating: "a", count: 4000))]))
            #expect(try await Self.ask(server, padded).status == .unauthorized)
        }
    }

    @Test("A client with a key is never proved by a secret, and one with a secret never by a key")
    func declaredMethod() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let basic = Data("machine:\(Client.machineSecret)".utf8).base64EncodedString()
            let form = [("grant_type", "client_credentials"), ("audience", "appointments:api")]
            let header = try await server.post("/oauth/token", form: form, headers: [.authorization: "Basic \(basic)"])
            #expect(header.status == .unauthorized)
            let secret = [("client_id", "machine"), ("client_secret", Client.machineSecret)]
            #expect(try await server.post("/oauth/token", form: form + secret).status == .unauthorized)
            #expect(try await server.post("/oauth/token", form: form + [secret[0]]).status == .unauthorized)
            let both = try await Self.ask(server, key.token(Self.claims(server)), secret)
            #expect(both.status == .badRequest)
        }
        let fixtures = try Self.fixtures(key) { $0.tokenEndpointAuthMethod = .clientSecretPost }
        try await TestServer.run(fixtures) { server in
            let answer = try await Self.ask(server, key)
            #expect(answer.status == .unauthorized)
        }
    }

    @Test("token_endpoint_auth_signing_alg: the algorithm that the client has registered, and no other")
    func registeredAlgorithm() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key) { $0.keys.assertionAlgorithm = .ps256 }) { server in
            #expect(try await Self.ask(server, key).status == .unauthorized)
            let token = try key.token(Self.claims(server), algorithm: "PS256")
            #expect(try await Self.ask(server, token).status == .ok)
        }
    }

    @Test("client_secret_jwt: an assertion signed with the secret, which is not sent")
    func secretAssertion() async throws {
        var fixtures = Fixtures()
        fixtures.change("machine") { $0.tokenEndpointAuthMethod = .clientSecretJWT }
        try await TestServer.run(fixtures) { server in
            let key = ForeignKey.secret(Client.machineSecret)
            for algorithm in ["HS256", "HS384", "HS512"] {
                let token = try key.token(Self.claims(server), algorithm: algorithm)
                #expect(try await Self.ask(server, token).status == .ok)
            }
            #expect(try await Self.ask(server, ForeignKey.secret("wrong")).status == .unauthorized)
            #expect(try await Self.ask(server, ForeignKey.rsa()).status == .unauthorized)
            let sent = try await RelyingParty.machine(server).token(
                ["grant_type": "client_credentials", "audience": "appointments:api"])
            #expect(sent.status == .unauthorized)
        }
    }

    @Test("RFC 7521 §4.2: an assertion of another type, without a type, or of nobody")
    func types() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let assertion = try key.token(Self.claims(server))
            for type in [nil, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"] {
                let form = [("grant_type", "client_credentials"), ("client_assertion", assertion)]
                let answer = try await server.post(
                    "/oauth/token", form: form + (type.map { [("client_assertion_type", $0)] } ?? []))
                #expect(answer.status == .unauthorized)
            }
            #expect(try await Self.ask(server, key, ["sub": "nobody", "iss": "nobody"]).status == .unauthorized)
            #expect(try await Self.ask(server, "not a token").status == .unauthorized)
        }
    }

    @Test("Revocation and introspection take assertions too")
    func otherEndpoints() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            for path in ["/oauth/revoke", "/oauth/introspect"] {
                func form(_ assertion: String) -> [(String, String)] {
                    [
                        ("token", "nothing"), ("client_assertion", assertion),
                        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    ]
                }
                let good = try await server.post(path, form: form(key.token(Self.claims(server))))
                #expect(good.status == .ok)
                let bad = try await server.post(path, form: form(key.token(Self.claims(server, ["exp": 1]))))
                #expect(bad.status == .unauthorized)
            }
        }
    }
}
