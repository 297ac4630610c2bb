import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The strategies that are settings over OAuth 2.0 and OpenID Connect.
@Suite("Connections that are settings over the two protocols")
struct SettingsOnlyConnectionTests {
    private static func fixtures(_ strategy: String, _ options: JSONObject, secrets: JSONObject) -> Fixtures {
        var fixtures = Fixtures()
        var connection = Connection(id: "con_settings00000000", name: strategy, strategy: strategy)
        connection.enabledClients = ["regular-web-app"]
        connection.options = ["client_id": "portico"].merging(options) { $1 }
        fixtures.connections.append(connection)
        fixtures.connectionSecrets = [strategy: secrets]
        return fixtures
    }

    private static func claims(
        _ issuer: String, _ departure: TestResponse, _ server: TestServer, _ more: JSONObject
    ) -> JSONObject {
        let now = Int64(server.clock.now.timeIntervalSince1970)
        let standard: JSONObject = [
            "iss": .string(issuer), "aud": "portico", "iat": .integer(now), "exp": .integer(now + 300),
            "nonce": .string(departure.query("nonce") ?? ""),
        ]
        return standard.merging(more) { $1 }
    }

    @Test(
        "Sign in with Apple: the answer is posted, the secret is a token signed with the team's key, the name comes once"
    )
    func apple() async throws {
        let (web, key) = (SimulatedWeb(), try ForeignKey.rsa())
        let team = P256.Signing.PrivateKey()
        try web.put([key], at: "https://appleid.apple.com/auth/keys")
        let fixtures = Self.fixtures(
            "apple", ["team_id": "TEAM123456", "kid": "KEY1234567"],
            secrets: ["app_secret": .string(team.pemRepresentation)])
        try await TestServer.run(fixtures, outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "apple"])
            #expect(departure.location?.hasPrefix("https://appleid.apple.com/auth/authorize?") == true)
            #expect(departure.query("response_mode") == "form_post")
            let claims = Self.claims(
                "https://appleid.apple.com", departure, server,
                ["sub": "000123.abc", "email": "ada@privaterelay.appleid.com", "email_verified": "true"])
            try web.publish(
                ["access_token": "a", "id_token": .string(try key.token(claims))],
                at: "https://appleid.apple.com/auth/token")
            let posted = try await browser.post(
                "/login/callback",
                [
                    ("state", departure.query("state") ?? ""), ("code", "c"),
                    ("user", #"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"evil@example.com"}"#),
                ])
            #expect(try await browser.follow(posted).query("code") != nil)
            let user = try #require(try await server.services.stores.users.find("apple|000123.abc"))
            #expect(user.email == "ada@privaterelay.appleid.com" && user.isEmailVerified)
            #expect(user.profile["name"] == "Ada Lovelace")
            let exchange = try #require(web.requests.last { $0.url.hasSuffix("/auth/token") })
            guard case .post(let form) = exchange.method,
                let secret = form.first(where: { $0.name == "client_secret" })?.value
            else {
                Issue.record("the exchange has no client_secret")
                return
            }
            #expect(secret.tokenHeader == ["alg": "ES256", "kid": "KEY1234567"])
            #expect(secret.claims["iss"] == "TEAM123456" && secret.claims["sub"] == "portico")
            let parts = secret.split(separator: ".")
            let signature = try P256.Signing.ECDSASignature(
                rawRepresentation: Data(try #require(Base64URL.decode(parts[2]))))
            #expect(team.publicKey.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)))
        }
    }

    @Test("Microsoft Entra ID: the directory's tokens alone count, and no address of theirs is verified")
    func entraID() async throws {
        let (web, key) = (SimulatedWeb(), try ForeignKey.rsa())
        let directory = "https://login.microsoftonline.com/acme.example/v2.0"
        let issuer = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
        try web.publish(
            [
                "issuer": .string(issuer), "authorization_endpoint": .string("\(directory)/authorize"),
                "token_endpoint": .string("\(directory)/token"), "jwks_uri": .string("\(directory)/keys"),
            ], at: "\(directory)/.well-known/openid-configuration")
        try web.put([key], at: "\(directory)/keys")
        let fixtures = Self.fixtures(
            "waad", ["tenant_domain": "acme.example"], secrets: ["client_secret": "upstream-secret"])
        try await TestServer.run(fixtures, outbound: web) { server in
            for (sender, isGood) in [(issuer, true), ("https://login.microsoftonline.com/other/v2.0", false)] {
                let browser = TestBrowser(server)
                let departure = try await UpstreamLoginTests.depart(browser, ["connection": "waad"])
                let claims = Self.claims(
                    sender, departure, server,
                    ["sub": "s-1", "email": "ceo@victim.example", "email_verified": true, "name": "Eve"])
                try web.publish(
                    ["access_token": "a", "id_token": .string(try key.token(claims))], at: "\(directory)/token")
                let answer = try await UpstreamLoginTests.arrive(browser, departure, "code=c")
                #expect((answer.query("code") != nil) == isGood)
            }
            let user = try #require(try await server.services.stores.users.find("waad|waad|s-1"))
            #expect(user.email == "ceo@victim.example" && !user.isEmailVerified)
        }
    }

    @Test(
        "Facebook, Microsoft and LinkedIn: their own endpoints, ids and names",
        arguments: [
            (
                "facebook", "https://www.facebook.com/v21.0/dialog/oauth?",
                "https://graph.facebook.com/v21.0/oauth/access_token", "facebook|77"
            ),
            (
                "windowslive", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?",
                "https://login.microsoftonline.com/common/oauth2/v2.0/token", "windowslive|77"
            ),
            (
                "linkedin", "https://www.linkedin.com/oauth/v2/authorization?",
                "https://www.linkedin.com/oauth/v2/accessToken", "linkedin|77"
            ),
        ])
    func social(strategy: String, start: String, tokenURL: String, id: String) async throws {
        let web = SimulatedWeb()
        try web.publish(["access_token": "abc"], at: tokenURL)
        let proof = HMAC<SHA256>.authenticationCode(
            for: Data("abc".utf8), using: SymmetricKey(data: Data("upstream-secret".utf8)))
        let fields = "id%2Cname%2Cfirst_name%2Cmiddle_name%2Clast_name%2Cemail%2Cpicture.type%28large%29"
        try web.publish(
            [
                "id": "77", "name": "Ada", "first_name": "Ada", "email": "ada@example.com",
                "picture": ["data": ["url": "https://img.example.com/a.png"]],
            ],
            at: "https://graph.facebook.com/v21.0/me?fields=\(fields)&appsecret_proof="
                + proof.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        try web.publish(
            ["id": "77", "displayName": "Ada", "mail": "ada@example.com"], at: "https://graph.microsoft.com/v1.0/me")
        try web.publish(
            ["sub": "77", "name": "Ada", "email": "ada@example.com", "email_verified": true],
            at: "https://api.linkedin.com/v2/userinfo")
        let fixtures = Self.fixtures(strategy, [:], secrets: ["client_secret": "upstream-secret"])
        try await TestServer.run(fixtures, outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": strategy])
            #expect(departure.location?.hasPrefix(start) == true)
            #expect(try await UpstreamLoginTests.arrive(browser, departure, "code=c").query("code") != nil)
            let user = try #require(try await server.services.stores.users.find(id))
            #expect(user.profile["name"] == "Ada" && user.email == "ada@example.com")
            #expect(user.isEmailVerified == (strategy == "linkedin"))
            let events = try await server.logEvents().filter { $0.type == "s" }
            #expect(events.last?.strategyType == "social")
        }
    }
}
