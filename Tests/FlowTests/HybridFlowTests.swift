import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Response types of OpenID Connect Core §3.2 and §3.3")
struct HybridFlowTests {
    /// The left half of SHA-256 in base64url, computed without the server's own code.
    static func halfHash(_ text: String) -> String {
        Data(SHA256.hash(data: Data(text.utf8)).prefix(16)).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static let clients = ["regular-web-app", "third-party-app", "single-page-app"]

    static func party(_ id: String, _ server: TestServer) -> RelyingParty {
        switch id {
        case "third-party-app": .thirdParty(server)
        case "single-page-app": .singlePageApp(server)
        default: .regularWebApp(server)
        }
    }

    /// Every client may use every response type, and the third party has its consent.
    static func fixtures() -> Fixtures {
        var fixtures = Fixtures()
        for id in clients { fixtures.change(id) { $0.grantTypes.insert(.implicit) } }
        return fixtures
    }

    static func authorize(
        _ party: RelyingParty, _ browser: TestBrowser, _ changes: [String: String?]
    ) async throws -> TestResponse {
        let response = try await party.authorize(browser, changes)
        guard response.location?.hasPrefix("/u/consent") == true else { return response }
        return try await browser.follow(browser.submit(response, [("action", "accept")]))
    }

    @Test("OIDC Core §3.3.2.11: c_hash, at_hash and s_hash are the left halves of what comes with the ID token")
    func hashes() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = TestBrowser(server)
            for audience in [nil, "appointments:api"] as [String?] {
                let answer = AuthorizationAnswer(
                    try await party.authorize(
                        browser,
                        ["response_type": "code id_token token", "nonce": "n-1", "audience": audience]))
                let claims = answer.idTokenClaims
                #expect(claims["c_hash"]?.string == Self.halfHash(answer["code"] ?? ""))
                #expect(claims["at_hash"]?.string == Self.halfHash(answer["access_token"] ?? ""))
                #expect(claims["s_hash"]?.string == Self.halfHash("xyzABC123"))
                #expect(claims["nonce"] == "n-1")
                #expect(claims["aud"] == "regular-web-app")
                #expect(claims["iss"]?.string == TestServer.issuer)
            }
            let alone = AuthorizationAnswer(
                try await party.authorize(browser, ["response_type": "id_token", "nonce": "n-2", "state": nil]))
            #expect(!alone.idTokenClaims.keys.contains { $0.hasSuffix("_hash") })
            let half = AuthorizationAnswer(
                try await party.authorize(browser, ["response_type": "code id_token", "nonce": "n-3"]))
            #expect(half.idTokenClaims["c_hash"]?.string == Self.halfHash(half["code"] ?? ""))
            #expect(half.idTokenClaims["at_hash"] == nil)
        }
    }

    @Test("OIDC Core §3.3.3.6: sub and iss are the same in both ID tokens, and the nonce is in both")
    func bothIDTokens() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let answer = AuthorizationAnswer(
                try await party.authorize(
                    TestBrowser(server), ["response_type": "code id_token", "nonce": "n-1"]))
            let redeemed = try await party.redeem(answer["code"] ?? "")
            #expect(redeemed.status == .ok)
            let back = try redeemed.json()["id_token"]?.string?.claims ?? [:]
            for name in ["iss", "sub", "aud", "nonce", "sid"] {
                #expect(back[name] != nil)
                #expect(back[name] == answer.idTokenClaims[name])
            }
            #expect(back["c_hash"] == nil)
        }
    }

    @Test("Auth0: the front channel's access token is another one and lives for token_lifetime_for_web")
    func lifetimes() async throws {
        var fixtures = Self.fixtures()
        fixtures.changeAPI { $0.tokenLifetimeForWeb = 1234 }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = TestBrowser(server)
            let answer = AuthorizationAnswer(
                try await party.authorize(
                    browser,
                    [
                        "response_type": "code token", "audience": "appointments:api",
                        "scope": "openid appointments offline_access",
                    ]))
            let front = answer["access_token"] ?? ""
            #expect(answer["expires_in"] == "1234")
            #expect(answer["refresh_token"] == nil)
            let claims = front.claims
            #expect((claims["exp"]?.integer ?? 0) - (claims["iat"]?.integer ?? 0) == 1234)
            #expect(claims["scope"] == "openid appointments")
            let tokens = try await party.redeem(answer["code"] ?? "").json()
            #expect(tokens["access_token"]?.string != front)
            #expect(tokens["expires_in"] == 86_400)
            #expect(tokens["refresh_token"]?.string?.isEmpty == false)

            let opaque = AuthorizationAnswer(try await party.authorize(browser, ["response_type": "token"]))
            #expect(opaque["expires_in"] == "7200")
            let token = opaque["access_token"] ?? ""
            let found = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
            #expect(try found.json()["sub"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            server.clock.advance(by: 7201)
            #expect(
                try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"]).status == .unauthorized)
        }
    }

    @Test("RFC 6749 §4.1.2: a code that comes back twice takes the front channel's access token with it")
    func replay() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let answer = AuthorizationAnswer(
                try await party.authorize(TestBrowser(server), ["response_type": "code token"]))
            let bearer: HTTPFields = [.authorization: "Bearer \(answer["access_token"] ?? "")"]
            #expect(try await party.redeem(answer["code"] ?? "").status == .ok)
            #expect(try await server.get("/userinfo", headers: bearer).status == .ok)
            #expect(try await party.redeem(answer["code"] ?? "").status == .badRequest)
            #expect(try await server.get("/userinfo", headers: bearer).status == .unauthorized)
        }
    }

    @Test("OIDC Core §11: offline_access is ignored, and asked about by nobody, where there is no code")
    func offlineAccess() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let answer = AuthorizationAnswer(
                try await RelyingParty.regularWebApp(server).authorize(
                    TestBrowser(server),
                    [
                        "response_type": "id_token token", "nonce": "n", "scope": "openid offline_access",
                    ]))
            #expect(answer["access_token"]?.isEmpty == false)
            #expect(answer["scope"] == nil)
        }
    }

    @Test("RFC 6749 §4.2.2: the scope is told where it is not what was asked for")
    func narrowedScope() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let answer = AuthorizationAnswer(
                try await RelyingParty.regularWebApp(server).authorize(
                    TestBrowser(server),
                    ["response_type": "token", "audience": "appointments:api", "scope": "openid appointments unknown"]))
            #expect(answer["scope"] == "openid appointments")
        }
    }

    @Test(
        "Auth0: hybrid types need the grants authorization_code and implicit both, implicit types the one",
        arguments: [
            ("code", "authorization_code"), ("id_token", "implicit"), ("id_token token", "implicit"),
            ("token", "implicit"), ("code id_token", "implicit"), ("code id_token", "authorization_code"),
            ("code token", "implicit"), ("code id_token token", "authorization_code"),
        ])
    func grants(_ type: String, _ missing: String) async throws {
        var fixtures = Self.fixtures()
        fixtures.change("regular-web-app") { $0.grantTypes.remove(GrantType(rawValue: missing)) }
        try await TestServer.run(fixtures) { server in
            let answer = AuthorizationAnswer(
                try await server.get(
                    RelyingParty.regularWebApp(server).authorizationURL(["response_type": type, "nonce": "n"])))
            #expect(answer["error"] == "unauthorized_client")
            #expect(answer["error_description"] == "Grant type '\(missing)' not allowed for the client.")
            #expect(answer["state"] == "xyzABC123")
        }
    }

    @Test(
        "OIDC Core §3.2.2.1, §3.3.2.11: an ID token from the front channel needs a nonce",
        arguments: ["id_token", "id_token token", "code id_token", "code id_token token"])
    func nonceRequired(_ type: String) async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let response = try await server.get(
                RelyingParty.regularWebApp(server).authorizationURL(["response_type": type, "nonce": nil]))
            #expect(response.location?.hasPrefix(Client.callback + "#") == true)
            #expect(AuthorizationAnswer(response)["error"] == "invalid_request")
            #expect(AuthorizationAnswer(response)["error_description"] == "Missing required parameter: nonce")
        }
    }

    @Test("Auth0's tutorial: its link asks for code id_token token without the scope openid, and gets all three")
    func withoutOpenID() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let answer = AuthorizationAnswer(
                try await party.authorize(
                    TestBrowser(server),
                    [
                        "response_type": "code id_token token", "scope": "appointments contacts",
                        "audience": "appointments:api", "nonce": "eq...hPmz",
                    ]))
            #expect(
                Set(answer.parameters.keys) == [
                    "code", "access_token", "expires_in", "token_type", "id_token", "state", "iss",
                ])
            #expect(answer["expires_in"] == "7200" && answer["token_type"] == "Bearer")
            #expect(answer["access_token"]?.claims["aud"] == "appointments:api")
            let claims = answer.idTokenClaims
            #expect(claims["sub"]?.string == User.ada.id && claims["nonce"] == "eq...hPmz")
            #expect(claims["c_hash"]?.string == Self.halfHash(answer["code"] ?? ""))
            #expect(claims["email"] == nil && claims["name"] == nil)
            let tokens = try await party.redeem(answer["code"] ?? "").json()
            #expect(tokens["scope"] == "appointments contacts" && tokens["id_token"] == nil)
        }
    }

    @Test("OIDC Core §3.1.2.6: prompt=none answers errors in the response mode of the type")
    func silentErrors() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let fragment = try await server.get(
                party.authorizationURL(["response_type": "id_token", "nonce": "n", "prompt": "none"]))
            #expect(fragment.fragment("error") == "login_required")
            let form = try await server.get(
                party.authorizationURL([
                    "response_type": "code id_token", "nonce": "n", "prompt": "none", "response_mode": "form_post",
                ]))
            #expect(form.status == .ok)
            #expect(AuthorizationAnswer(form)["error"] == "login_required")
            #expect(form.text.contains(#"action="https://app.example.com/callback""#))
        }
    }

    @Test("RFC 9207 §2: iss is in every response and error, and is left out as Auth0 does where the tenant says so")
    func issuer() async throws {
        var auth0 = Self.fixtures()
        auth0.settings.wireDialect = .auth0
        var asked = auth0
        asked.settings.authorizationResponseIssuer = true
        for (fixtures, issuer) in [(Self.fixtures(), TestServer.issuer), (auth0, nil), (asked, TestServer.issuer)] {
            try await TestServer.run(fixtures) { server in
                let party = RelyingParty.regularWebApp(server)
                #expect(try await party.authorize(TestBrowser(server)).query("iss") == issuer)
                let refused = try await server.get(party.authorizationURL(["prompt": "none"]))
                #expect(refused.query("error") == "login_required")
                #expect(refused.query("iss") == issuer)
                let metadata = try await server.get("/.well-known/openid-configuration").json()
                #expect(metadata["authorization_response_iss_parameter_supported"]?.bool ?? false == (issuer != nil))
            }
        }
    }
}
