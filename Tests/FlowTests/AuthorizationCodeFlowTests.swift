import Foundation
import Hummingbird
import HummingbirdTesting
import JWTKit
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Authorization Code Flow")
struct AuthorizationCodeFlowTests {
    @Test("RFC 6749 §4.1: sign in, get a code with the state, redeem it for tokens")
    func wholeFlow() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let response = try await party.authorize(
                TestBrowser(server),
                ["audience": "appointments:api", "scope": "openid profile email appointments contacts offline_access"])
            #expect(response.status == .found)
            #expect(response.location?.hasPrefix("https://app.example.com/callback?code=") == true)
            #expect(response.query("state") == "xyzABC123")

            let answer = try await party.redeem(response.query("code") ?? "")
            #expect(answer.status == .ok)
            #expect(answer.headers[.cacheControl] == "no-store")
            let tokens = try answer.json()
            #expect(tokens["token_type"] == "Bearer")
            #expect(tokens["expires_in"] == 86400)
            #expect(
                Scope(tokens["scope"]?.string?.split(separator: " ").map(String.init) ?? [])
                    == Scope(["openid", "profile", "email", "appointments", "contacts", "offline_access"]))
            #expect(tokens["refresh_token"]?.string?.hasPrefix("v1.") == true)
        }
    }

    @Test("Tutorial: an API's access token has iss with its slash, sub, aud, azp, scope; RS256 with kid")
    func accessTokenClaims() async throws {
        try await TestServer.run { server in
            let tokens = try await RelyingParty.regularWebApp(server)
                .tokens(["audience": "appointments:api", "scope": "openid appointments"])
            let token = tokens["access_token"]?.string ?? ""
            #expect(token.tokenHeader == ["alg": "RS256", "typ": "JWT", "kid": "key-current"])
            let claims = token.claims
            #expect(claims["iss"] == "https://login.example.com/")
            #expect(claims["sub"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(claims["aud"] == ["appointments:api", "https://login.example.com/userinfo"])
            #expect(claims["azp"] == "regular-web-app")
            #expect(claims["scope"] == "openid appointments")
            #expect((claims["exp"]?.integer ?? 0) - (claims["iat"]?.integer ?? 0) == 86400)
        }
    }

    @Test("Auth0: without openid the audience is a text, and there is no ID token")
    func withoutOpenID() async throws {
        try await TestServer.run { server in
            let tokens = try await RelyingParty.regularWebApp(server)
                .tokens(["audience": "appointments:api", "scope": "appointments contacts"])
            #expect(tokens["access_token"]?.string?.claims["aud"] == "appointments:api")
            #expect(tokens["id_token"] == nil)
            #expect(tokens["scope"] == "appointments contacts")
        }
    }

    @Test("OIDC Core §2: ID token claims, with the claims that profile and email ask for (§5.4)")
    func idTokenClaims() async throws {
        try await TestServer.run { server in
            let claims =
                try await RelyingParty.regularWebApp(server).tokens(["nonce": "n-0S6_WzA2Mj"])["id_token"]?
                .string?.claims ?? [:]
            #expect(claims["iss"] == "https://login.example.com/")
            #expect(claims["aud"] == "regular-web-app")
            #expect(claims["sub"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(claims["nonce"] == "n-0S6_WzA2Mj")
            #expect(claims["name"] == "Ada Lovelace")
            #expect(claims["email"] == "ada@example.com")
            #expect(claims["email_verified"] == true)
            #expect(claims["sid"]?.string?.isEmpty == false)
            #expect(claims["auth_time"] == nil)
            #expect((claims["exp"]?.integer ?? 0) - (claims["iat"]?.integer ?? 0) == 36000)
        }
    }

    @Test("A relying party's library verifies the tokens with the published keys")
    func verifiesWithJWKS() async throws {
        struct Claims: JWTPayload {
            let iss: IssuerClaim
            let exp: ExpirationClaim
            func verify(using algorithm: some JWTAlgorithm) throws { try exp.verifyNotExpired() }
        }
        try await TestServer.run { server in
            let tokens = try await RelyingParty.regularWebApp(server).tokens(["audience": "appointments:api"])
            let keys = JWTKeyCollection()
            try await keys.add(jwksJSON: try await server.get("/.well-known/jwks.json").text)
            for name in ["access_token", "id_token"] {
                let claims = try await keys.verify(tokens[name]?.string ?? "", as: Claims.self)
                #expect(claims.iss.value == "https://login.example.com/")
            }
        }
    }

    @Test("Without audience the access token is opaque and opens userinfo alone")
    func opaqueToken() async throws {
        try await TestServer.run { server in
            let token = try await RelyingParty.regularWebApp(server).tokens()["access_token"]?.string ?? ""
            #expect(!token.contains("."))
            let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
            #expect(answer.status == .ok)
            #expect(try answer.json()["email"] == "ada@example.com")
        }
    }

    @Test("OAuth 2.0 Form Post Response Mode §2: a page posts code and state")
    func formPost() async throws {
        try await TestServer.run { server in
            let response = try await RelyingParty.regularWebApp(server)
                .authorize(TestBrowser(server), ["response_mode": "form_post"])
            #expect(response.status == .ok)
            let fields = TestBrowser.hiddenFields(response.text)
            #expect(fields.map(\.0).sorted() == ["code", "iss", "state"])
            #expect(response.text.contains(#"action="https://app.example.com/callback""#))
            #expect(!response.text.contains("<script>"))
        }
    }

    @Test("OAuth 2.0 Multiple Response Types §2.1: response_mode=fragment")
    func fragment() async throws {
        try await TestServer.run { server in
            let response = try await RelyingParty.regularWebApp(server)
                .authorize(TestBrowser(server), ["response_mode": "fragment"])
            #expect(response.fragment("code")?.isEmpty == false)
            #expect(response.query("code") == nil)
        }
    }

    @Test("RFC 6749 §3.1: POST /authorize takes the same parameters in its body")
    func postAuthorize() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let response = try await browser.post(
                "/authorize",
                [
                    ("response_type", "code"), ("client_id", "regular-web-app"), ("redirect_uri", Client.callback),
                    ("scope", "openid"),
                ])
            #expect(response.location?.hasPrefix("/u/login?state=") == true)
            let answer = try await browser.logIn(response, password: User.adaPassword)
            #expect(answer.query("code")?.isEmpty == false)
            #expect(answer.query("state") == nil)
        }
    }

    @Test("The query of a registered callback is kept")
    func callbackWithQuery() async throws {
        try await TestServer.run { server in
            let response = try await RelyingParty.regularWebApp(server)
                .authorize(TestBrowser(server), ["redirect_uri": "https://app.example.com/other?tenant=1"])
            #expect(response.location?.hasPrefix("https://app.example.com/other?tenant=1&code=") == true)
        }
    }

    @Test("state comes back byte for byte", arguments: ["a b+c&d=e/%20é🙂", "<script>\"'", "a#b?c"])
    func stateIsEchoed(_ state: String) async throws {
        try await TestServer.run { server in
            let response = try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server), ["state": state])
            #expect(response.query("state") == state)
        }
    }

    @Test("RFC 7636 §4.6: the verifier must make the challenge")
    func proofKey() async throws {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let changes: [String: String?] = [
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
        ]
        try await TestServer.run { server in
            let party = RelyingParty.singlePageApp(server)
            #expect(try await party.redeem(party.code(nil, changes), ["code_verifier": verifier]).status == .ok)
            for wrong in [nil, "short", String(verifier.reversed())] {
                let answer = try await party.redeem(party.code(nil, changes), ["code_verifier": wrong])
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_grant")
                #expect(try answer.json()["error_description"] == "Failed to verify code verifier")
            }
        }
    }
}
