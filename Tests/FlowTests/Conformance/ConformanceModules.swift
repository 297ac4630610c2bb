import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The modules that the plans of OpenID Connect Core share; each plan runs them with its own response types.
enum ConformanceModules {
    typealias Profile = ConformanceProfile

    // MARK: Responses and ID tokens

    static func server(_ profile: Profile, usesBasic: Bool = true) async throws {
        try await ConformanceClient.run(
            profile,
            { if !usesBasic { $0.change("regular-web-app") { $0.tokenEndpointAuthMethod = .clientSecretPost } } }
        ) { client in
            var client = client
            client.usesBasic = usesBasic
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

    static func responseTypeMissing(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request(["response_type": nil])
            let error = client.refusal(try await client.send(request, TestBrowser(client.server)).response, to: request)
            #expect(error == "invalid_request" || error == "unsupported_response_type")
        }
    }

    static func idTokenSignature(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            // The client has registered no algorithm: RS256 and a key's id are part of every check of an ID token.
            let signIn = try await client.signIn()
            let kid = signIn.idToken.tokenHeader["kid"]?.string
            let keys = try await client.server.get("/.well-known/jwks.json").json()["keys"]?.array ?? []
            #expect(keys.filter { $0.object?["kid"]?.string == kid }.count == 1)
        }
    }

    static func idTokenUnsigned(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            let algorithms = metadata["id_token_signing_alg_values_supported"]?.array ?? []
            // A server that does not offer it need not support it, and must not do it by itself.
            #expect(!algorithms.contains("none") && algorithms.contains("RS256"))
        }
    }

    // MARK: Userinfo

    static func userInfo(_ profile: Profile, _ bearer: ConformanceClient.Bearer) async throws {
        try await ConformanceClient.run(profile) { client in
            let claims = try await client.userInfo(client.signIn(), bearer)
            #expect(Set(claims.keys) == ["sub"])
        }
    }

    // MARK: nonce

    static func withoutNonceSucceeds(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let signIn = try await client.signIn(["nonce": nil])
            #expect(signIn.code != nil && signIn.claims["nonce"] == nil)
        }
    }

    static func withoutNonceFails(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request(["nonce": nil])
            let error = client.refusal(try await client.send(request, TestBrowser(client.server)).response, to: request)
            #expect(error == "invalid_request")
        }
    }

    // MARK: Scopes and claims

    /// The claims of `scopes` come from the userinfo endpoint, and where there is no access token in the ID token.
    static func scope(_ profile: Profile, _ scopes: String..., reversed: Bool = false) async throws {
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

    static func claimsEssential(_ profile: Profile) async throws {
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

    /// A request with these parameters is answered as one without them.
    static func succeeds(_ profile: Profile, with changes: [String: String?]) async throws {
        try await ConformanceClient.run(profile) { client in
            let signIn = try await client.signIn(changes)
            #expect(signIn.claims["sub"]?.string == User.ada.id)
        }
    }

    static func loginHint(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let browser = TestBrowser(client.server)
            let request = client.request(["login_hint": "ada@example.com"])
            let page = try await browser.get(ConformanceClient.url(request))
            #expect(try await browser.get(page.location ?? "").text.contains(#"value="ada@example.com""#))
            _ = try await client.finish(
                browser.logIn(page, password: User.adaPassword), of: request, sawLogin: true)
        }
    }

    static func acrValues(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            let supported = metadata["acr_values_supported"]?.array?.compactMap(\.string)
            let signIn = try await client.signIn(["acr_values": supported?.joined(separator: " ") ?? "1 2"])
            if let acr = signIn.claims["acr"]?.string { #expect((supported ?? ["1", "2"]).contains(acr)) }
        }
    }

    static func pkce(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            var client = client
            client.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            _ = try await client.signIn([
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
            ])
        }
    }

    static func postRequest(_ profile: Profile) async throws {
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
