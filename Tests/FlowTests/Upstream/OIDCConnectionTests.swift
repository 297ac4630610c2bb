import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Connections over OpenID Connect")
struct OIDCConnectionTests {
    @Test(
        "OpenID Connect Core §3.1: the code is exchanged with the secret and proof key, and the ID token says who it is"
    )
    func backChannel() async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(
                browser, ["connection": "acme", "login_hint": "ada@acme.example", "connection_scope": "groups,phone"])
            #expect(departure.location?.hasPrefix("https://provider.example.com/authorize?") == true)
            #expect(departure.query("client_id") == "portico")
            #expect(departure.query("scope") == "openid profile email groups phone")
            #expect(departure.query("login_hint") == "ada@acme.example")
            #expect(departure.query("code_challenge_method") == "S256")
            #expect(departure.query("redirect_uri") == "https://login.example.com/login/callback")

            let answer = try await provider.signIn(server)
            let code = try #require(answer.query("code"))
            let claims = try await RelyingParty.regularWebApp(server).redeem(code).json()["id_token"]?.string?.claims
            #expect(claims?["sub"] == "oidc|acme|u-1")
            #expect(claims?["email"] == "ada@acme.example")
            #expect(claims?["email_verified"] == true)
            let exchange = try #require(provider.web.requests.last { $0.url.hasSuffix("/token") })
            guard case .post(let form) = exchange.method else { return #expect(Bool(false)) }
            let sent = Dictionary(form.map { ($0.name, $0.value) }) { $1 }
            #expect(sent["grant_type"] == "authorization_code")
            #expect(sent["code"] == "c0de")
            #expect(sent["client_secret"] == "upstream-secret")
            #expect(sent["code_verifier"]?.utf8.count == 43)
            #expect(sent["redirect_uri"] == "https://login.example.com/login/callback")
        }
    }

    @Test(
        "security.md 24: an ID token for another client, of another issuer or login, expired or incomplete is refused",
        arguments: [
            ["aud": "somebody-else"], ["aud": ["portico", "somebody-else"]], ["aud": .null],
            ["azp": "somebody-else"], ["iss": "https://evil.example.com"], ["nonce": "other"], ["nonce": .null],
            ["exp": 1], ["exp": .null], ["iat": .null], ["iat": 9_999_999_999], ["sub": .null], ["sub": ""],
        ] as [JSONObject])
    func badClaims(_ changes: JSONObject) async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            let answer = try await provider.signIn(server, changes)
            #expect(answer.query("error") == "access_denied")
            #expect(answer.query("code") == nil)
        }
    }

    @Test("security.md 21: an ID token that the provider's keys did not sign is refused: none, HS256, another key")
    func badSignatures() async throws {
        let provider = try SimulatedProvider()
        let other = try ForeignKey.rsa("other")
        let forgeries: [@Sendable (JSONObject) throws -> String] = [
            { try other.token($0) },
            { try other.token($0, header: ["jwk": .object(try other.jsonWebKey)]) },
            { try ForeignKey.secret("upstream-secret").token($0) },
            { try Self.unsigned($0) },
            { try provider.key.token($0) + "x" },
        ]
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            for forgery in forgeries {
                let answer = try await provider.signIn(server, token: forgery)
                #expect(answer.query("error") == "access_denied")
            }
        }
    }

    private static func unsigned(_ claims: JSONObject) throws -> String {
        try [["alg": "none"], claims].map { Base64URL.encode(try JSON.bytes($0)) }.joined(separator: ".") + "."
    }

    @Test(
        "RFC 9207 §2.4: an answer whose iss is another provider's is refused, and so is one without where all have it")
    func mixUp() async throws {
        let provider = try SimulatedProvider(["authorization_response_iss_parameter_supported": true])
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            #expect(try await provider.signIn(server).query("error") == "access_denied")
            let foreign = try await provider.signIn(server, query: "&iss=https%3A%2F%2Fevil.example.com")
            #expect(foreign.query("error") == "access_denied")
            let own = try await provider.signIn(server, query: "&iss=https%3A%2F%2Fprovider.example.com")
            #expect(own.query("code") != nil)
        }
    }

    @Test("OpenID Connect Discovery §4.3: metadata that names another issuer is not believed")
    func foreignMetadata() async throws {
        let provider = try SimulatedProvider(["issuer": "https://victim.example.com"])
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            let answer = try await UpstreamLoginTests.depart(TestBrowser(server), ["connection": "acme"])
            #expect(answer.query("error") == "server_error")
        }
    }

    @Test("A provider that does not answer is told of as temporarily_unavailable, and nobody is let in")
    func unreachable() async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            provider.web.fail(.timeout, at: "\(SimulatedProvider.issuer)/.well-known/openid-configuration")
            let answer = try await UpstreamLoginTests.depart(TestBrowser(server), ["connection": "acme"])
            #expect(answer.query("error") == "temporarily_unavailable")
        }
    }

    @Test("A provider's new key is fetched when the first token comes that is signed with it")
    func newKey() async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            #expect(try await provider.signIn(server).query("code") != nil)
            let next = ForeignKey.p256(keyID: "next")
            try provider.web.put([next], at: "\(SimulatedProvider.issuer)/jwks")
            server.clock.advance(by: 31)
            #expect(try await provider.signIn(server, token: { try next.token($0) }).query("code") != nil)
        }
    }

    @Test("Auth0: a front channel posts the ID token to the callback, and no secret is needed")
    func frontChannel() async throws {
        let provider = try SimulatedProvider()
        var fixtures = SimulatedProvider.fixtures(["type": "front_channel"])
        fixtures.connectionSecrets = [:]
        try await TestServer.run(fixtures, outbound: provider.web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "acme"])
            #expect(departure.query("response_type") == "id_token")
            #expect(departure.query("response_mode") == "form_post")
            let token = try provider.key.token(provider.claims(departure, server))
            let posted = try await browser.post(
                "/login/callback", [("state", departure.query("state") ?? ""), ("id_token", token)])
            #expect(try await browser.follow(posted).query("code") != nil)
        }
    }

    @Test("OpenID Connect Core §3.1.2.1: prompt and max_age go along, and a login that is too old is refused")
    func freshness() async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            let departure = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["connection": "acme", "prompt": "login", "max_age": "300"])
            #expect(departure.query("prompt") == "login")
            #expect(departure.query("max_age") == "300")
            let now = Int64(server.clock.now.timeIntervalSince1970)
            let old = try await provider.signIn(
                server, ["auth_time": .integer(now - 1000)], asking: ["max_age": "300"])
            #expect(old.query("error") == "access_denied")
            let fresh = try await provider.signIn(server, ["auth_time": .integer(now)], asking: ["max_age": "300"])
            #expect(fresh.query("code") != nil)
        }
    }

    @Test("OpenID Connect Core §5.3.2: userinfo completes a bare ID token, where it speaks of the same user")
    func userInfo() async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            let bare: JSONObject = ["email": .null, "name": .null, "email_verified": .null]
            try provider.web.publish(
                ["sub": "u-1", "name": "Ada", "email": "ada@acme.example"], at: "\(SimulatedProvider.issuer)/userinfo")
            #expect(try await provider.signIn(server, bare).query("code") != nil)
            let user = try #require(try await server.services.stores.users.find("oidc|acme|u-1"))
            #expect(user.email == "ada@acme.example")
            #expect(!user.isEmailVerified)
            try provider.web.publish(["sub": "u-2", "name": "Eve"], at: "\(SimulatedProvider.issuer)/userinfo")
            #expect(try await provider.signIn(server, bare).query("error") == "access_denied")
        }
    }

    @Test("Auth0: attribute_map and upstream_params do what they say; nothing of the request itself can be replaced")
    func mapping() async throws {
        let provider = try SimulatedProvider()
        let options: JSONObject = [
            "attribute_map": [
                "mapping_mode": "use_map",
                "attributes": [
                    "email": "${context.tokenset.upn}", "name": "${context.tokenset.first} ${context.tokenset.last}",
                ],
            ],
            "upstream_params": ["screen_name": ["alias": "login_hint"], "realm": ["value": "staff"]],
        ]
        try await TestServer.run(SimulatedProvider.fixtures(options), outbound: provider.web) { server in
            let departure = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["connection": "acme", "login_hint": "ada"])
            #expect(departure.query("screen_name") == "ada")
            #expect(departure.query("realm") == "staff")
            let claims: JSONObject = ["upn": "ada@acme.example", "first": "Ada", "last": "Lovelace"]
            #expect(try await provider.signIn(server, claims).query("code") != nil)
            let user = try #require(try await server.services.stores.users.find("oidc|acme|u-1"))
            #expect(user.email == "ada@acme.example")
            #expect(user.profile["name"] == "Ada Lovelace")
        }
    }

    @Test("The provider's tokens are kept sealed, and log events have none of them")
    func tokensAtRest() async throws {
        let provider = try SimulatedProvider()
        try await TestServer.run(SimulatedProvider.fixtures(), outbound: provider.web) { server in
            #expect(try await provider.signIn(server).query("code") != nil)
            let sealed = try await server.services.stores.database.read { transaction in
                try UserStore.upstreamTokens(of: ["oidc|acme|u-1"], in: transaction)["oidc|acme|u-1"]
            }
            let text = try #require(sealed)
            #expect(!text.contains("upstream-access"))
            let tokens = try JSON.decode(UpstreamTokens.self, from: server.services.secret.box.open(text))
            #expect(tokens.accessToken == "upstream-access")
        }
    }
}
