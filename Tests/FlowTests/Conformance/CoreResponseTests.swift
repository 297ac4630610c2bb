import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The modules of the plans Basic, Implicit and Hybrid, and of Form Post with each, about requests and what they bring:
/// each runs with the response types of the plans that it stands in.
@Suite("Conformance: responses, ID tokens and claims")
struct CoreResponseTests {
    typealias Profile = ConformanceProfile

    // MARK: Responses and ID tokens

    @Test("oidcc-server (OIDC Core §3.1, §3.2, §3.3)", arguments: Profile.all)
    func server(_ profile: Profile) async throws {
        try await Self.server(profile, usesBasic: true)
    }

    @Test("oidcc-server-client-secret-post (OIDC Core §9)", arguments: Profile.withCode)
    func clientSecretPost(_ profile: Profile) async throws {
        try await Self.server(profile, usesBasic: false)
    }

    private static func server(_ profile: Profile, usesBasic: Bool) async throws {
        try await ConformanceClient.run(
            profile,
            { if !usesBasic { $0.change("regular-web-app") { $0.tokenEndpointAuthMethod = .clientSecretPost } } }
        ) { client in
            var client = client
            if !usesBasic { client.proof = .post(Client.regularWebAppSecret) }
            let signIn = try await client.signIn()
            if let claims = signIn.frontClaims {
                let hash = signIn.answer["access_token"].map(HybridFlowTests.halfHash)
                #expect(claims["at_hash"]?.string == hash)
                #expect(claims["c_hash"]?.string == signIn.code.map(HybridFlowTests.halfHash))
            }
            if let hash = signIn.backClaims?["at_hash"]?.string {
                #expect(hash == HybridFlowTests.halfHash(signIn.tokens["access_token"]?.string ?? ""))
            }
            if let code = signIn.code { #expect(code.utf8.count * 8 >= 128 && Set(code).count > 8) }
            for claims in [signIn.frontClaims, signIn.backClaims].compactMap(\.self) {
                let expected: Set = [
                    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash",
                    "s_hash", "sid", "jti", "nbf",
                ]
                #expect(Set(claims.keys).isSubset(of: expected), "\(claims.keys.sorted())")
            }
        }
    }

    @Test("oidcc-response-type-missing (RFC 6749 §3.1.1)", arguments: Profile.all)
    func responseTypeMissing(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request(["response_type": nil])
            let error = client.refusal(try await client.send(request, TestBrowser(client.server)).response, to: request)
            #expect(error == "invalid_request" || error == "unsupported_response_type")
        }
    }

    @Test("oidcc-idtoken-signature (OIDC Core §3.1.3.7, §10.1)", arguments: Profile.all)
    func idTokenSignature(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            // The client has registered no algorithm: RS256 and a key's id are part of every check of an ID token.
            let signIn = try await client.signIn()
            let kid = signIn.idToken.tokenHeader["kid"]?.string
            let keys = try await client.server.get("/.well-known/jwks.json").json()["keys"]?.array ?? []
            #expect(keys.filter { $0.object?["kid"]?.string == kid }.count == 1)
        }
    }

    @Test("oidcc-idtoken-unsigned (OIDC Core §2)", arguments: Profile.basic)
    func idTokenUnsigned(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            let algorithms = metadata["id_token_signing_alg_values_supported"]?.array ?? []
            // A server that does not offer it need not support it, and must not do it by itself.
            #expect(!algorithms.contains("none") && algorithms.contains("RS256"))
        }
    }

    // MARK: Userinfo

    @Test("oidcc-userinfo-get (OIDC Core §5.3.1)", arguments: Profile.withAccessToken)
    func userInfoGet(_ profile: Profile) async throws {
        try await Self.userInfo(profile, .get)
    }

    @Test("oidcc-userinfo-post-header (OIDC Core §5.3.1)", arguments: Profile.withAccessToken)
    func userInfoPostHeader(_ profile: Profile) async throws {
        try await Self.userInfo(profile, .postHeader)
    }

    @Test("oidcc-userinfo-post-body (RFC 6750 §2.2)", arguments: Profile.withAccessToken)
    func userInfoPostBody(_ profile: Profile) async throws {
        try await Self.userInfo(profile, .postBody)
    }

    private static func userInfo(_ profile: Profile, _ bearer: ConformanceClient.Bearer) async throws {
        try await ConformanceClient.run(profile) { client in
            let claims = try await client.userInfo(client.signIn(), bearer)
            #expect(Set(claims.keys) == ["sub"])
        }
    }

    // MARK: nonce

    @Test(
        "oidcc-ensure-request-without-nonce-succeeds-for-code-flow (OIDC Core §3.1.2.1)",
        arguments: Profile.withoutIDToken)
    func withoutNonceSucceeds(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let signIn = try await client.signIn(["nonce": nil])
            #expect(signIn.code != nil && signIn.claims["nonce"] == nil)
        }
    }

    @Test("oidcc-ensure-request-without-nonce-fails (OIDC Core §3.2.2.1, §3.3.2.11)", arguments: Profile.withIDToken)
    func withoutNonceFails(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request(["nonce": nil])
            let error = client.refusal(try await client.send(request, TestBrowser(client.server)).response, to: request)
            #expect(error == "invalid_request")
        }
    }

    // MARK: Scopes and claims

    @Test("oidcc-scope-profile (OIDC Core §5.4)", arguments: Profile.all)
    func scopeProfile(_ profile: Profile) async throws {
        try await Self.scope(profile, "profile")
    }

    @Test("oidcc-scope-email (OIDC Core §5.4)", arguments: Profile.all)
    func scopeEmail(_ profile: Profile) async throws {
        try await Self.scope(profile, "email")
    }

    @Test("oidcc-scope-address (OIDC Core §5.4)", arguments: Profile.all)
    func scopeAddress(_ profile: Profile) async throws {
        try await Self.scope(profile, "address")
    }

    @Test("oidcc-scope-phone (OIDC Core §5.4)", arguments: Profile.all)
    func scopePhone(_ profile: Profile) async throws {
        try await Self.scope(profile, "phone")
    }

    @Test("oidcc-scope-all (OIDC Core §5.4)", arguments: Profile.all)
    func scopeAll(_ profile: Profile) async throws {
        try await Self.scope(profile, "address", "email", "phone", "profile")
    }

    @Test("oidcc-alternate-happy-flow (RFC 6749 §3.3)", arguments: Profile.all)
    func alternateHappyFlow(_ profile: Profile) async throws {
        try await Self.scope(profile, "email", reversed: true)
    }

    /// The claims of `scopes` come from the userinfo endpoint, and where there is no access token in the ID token.
    private static func scope(_ profile: Profile, _ scopes: String..., reversed: Bool = false) async throws {
        try await ConformanceClient.run(profile) { client in
            let values = ["openid"] + scopes
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            for value in values { #expect(metadata["scopes_supported"]?.array?.contains(.string(value)) == true) }
            let text = (reversed ? values.reversed() : values).joined(separator: " ")
            let signIn = try await client.signIn(["scope": text], reversed: reversed)
            let expected = values.reduce(into: Set<String>()) { $0.formUnion(ConformanceClient.scopeClaims[$1] ?? []) }
            if signIn.accessToken == nil {
                #expect(expected.isSubset(of: signIn.claims.keys))
            } else {
                let found = try await client.userInfo(signIn)
                #expect(Set(found.keys) == expected)
            }
        }
    }

    @Test("oidcc-claims-essential (OIDC Core §5.5, §5.5.1)", arguments: Profile.all)
    func claimsEssential(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let place = profile.words == ["id_token"] ? "id_token" : "userinfo"
            let signIn = try await client.signIn(["claims": #"{"\#(place)":{"name":{"essential":true}}}"#])
            if place == "id_token" {
                #expect(signIn.claims["name"] == "Ada Lovelace")
            } else {
                #expect(try await client.userInfo(signIn)["name"] == "Ada Lovelace")
                #expect(signIn.claims["name"] == nil && signIn.frontClaims?["name"] == nil)
            }
        }
    }

    // MARK: Parameters that must not make a request fail

    @Test("oidcc-display-page (OIDC Core §3.1.2.1, §15.1)", arguments: Profile.all)
    func displayPage(_ profile: Profile) async throws {
        try await Self.succeeds(profile, with: ["display": "page"])
    }

    @Test("oidcc-display-popup (OIDC Core §3.1.2.1, §15.1)", arguments: Profile.all)
    func displayPopup(_ profile: Profile) async throws {
        try await Self.succeeds(profile, with: ["display": "popup"])
    }

    @Test("oidcc-ensure-request-with-unknown-parameter-succeeds (RFC 6749 §3.1)", arguments: Profile.all)
    func unknownParameter(_ profile: Profile) async throws {
        try await Self.succeeds(profile, with: ["extra": "foobar"])
    }

    @Test("oidcc-ui-locales (OIDC Core §3.1.2.1, §15.1)", arguments: Profile.all)
    func uiLocales(_ profile: Profile) async throws {
        try await Self.succeeds(profile, with: ["ui_locales": "se"])
    }

    @Test("oidcc-claims-locales (OIDC Core §5.2, §15.1)", arguments: Profile.all)
    func claimsLocales(_ profile: Profile) async throws {
        try await Self.succeeds(profile, with: ["claims_locales": "se"])
    }

    /// A request with these parameters is answered as one without them.
    private static func succeeds(_ profile: Profile, with changes: [String: String?]) async throws {
        try await ConformanceClient.run(profile) { client in
            let signIn = try await client.signIn(changes)
            #expect(signIn.claims["sub"]?.string == User.ada.id)
        }
    }

    @Test("oidcc-login-hint (OIDC Core §3.1.2.1)", arguments: Profile.all)
    func loginHint(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let browser = TestBrowser(client.server)
            let request = client.request(["login_hint": "ada@example.com"])
            let page = try await browser.get(ConformanceClient.url(request))
            #expect(try await browser.get(page.location ?? "").text.contains(#"value="ada@example.com""#))
            _ = try await client.finish(
                browser.logIn(page, password: User.adaPassword), of: request, sawLogin: true)
        }
    }

    @Test("oidcc-ensure-request-with-acr-values-succeeds (OIDC Core §3.1.2.1, §15.1)", arguments: Profile.all)
    func acrValues(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            let supported = metadata["acr_values_supported"]?.array?.compactMap(\.string)
            let signIn = try await client.signIn(["acr_values": supported?.joined(separator: " ") ?? "1 2"])
            if let acr = signIn.claims["acr"]?.string { #expect((supported ?? ["1", "2"]).contains(acr)) }
        }
    }

    @Test("oidcc-ensure-request-with-valid-pkce-succeeds (RFC 7636)", arguments: Profile.withCode)
    func pkce(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            var client = client
            client.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            _ = try await client.signIn([
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
            ])
        }
    }

    @Test("oidcc-ensure-post-request-succeeds (OIDC Core §3.1.2.1)", arguments: Profile.basic)
    func postRequest(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let browser = TestBrowser(client.server)
            let request = client.request()
            let page = try await browser.post("/authorize", request.map { ($0, $1) })
            #expect(page.location?.hasPrefix("/u/login") == true)
            _ = try await client.finish(
                browser.logIn(page, password: User.adaPassword), of: request, sawLogin: true)
        }
    }
}
