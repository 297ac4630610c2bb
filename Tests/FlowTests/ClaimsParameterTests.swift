import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("The claims parameter and what else a request may say")
struct ClaimsParameterTests {
    private static func userInfo(_ token: String, _ server: TestServer) async throws -> JSONObject {
        try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"]).json()
    }

    @Test(
        "OIDC Core §5.5: claims come where they were asked for, with an opaque access token and with a JWT, also after a refresh",
        arguments: [nil, "appointments:api"] as [String?])
    func placed(_ audience: String?) async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens([
                "scope": "openid offline_access", "audience": audience,
                "claims": #"{"userinfo":{"nickname":null,"sub":null},"id_token":{"email":{"essential":true}}}"#,
            ])
            let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "").json()
            for answer in [tokens, refreshed] {
                let idToken = answer["id_token"]?.string?.claims ?? [:]
                #expect(idToken["email"] == "ada@example.com")
                #expect(idToken["nickname"] == nil)
                let found = try await Self.userInfo(answer["access_token"]?.string ?? "", server)
                #expect(found["nickname"] == "ada")
                #expect(found["email"] == nil)
            }
        }
    }

    @Test("OIDC Core §5.5 with §3.2.2.5: claims come in a front-channel ID token, and for its access token")
    func frontChannel() async throws {
        try await TestServer.run(HybridFlowTests.fixtures()) { server in
            let answer = AuthorizationAnswer(
                try await RelyingParty.regularWebApp(server).authorize(
                    TestBrowser(server),
                    [
                        "response_type": "id_token token", "nonce": "n", "scope": "openid",
                        "claims": #"{"userinfo":{"name":null},"id_token":{"given_name":null}}"#,
                    ]))
            #expect(answer.idTokenClaims["given_name"] == "Ada")
            #expect(answer.idTokenClaims["name"] == nil)
            let found = try await Self.userInfo(answer["access_token"] ?? "", server)
            #expect(found["name"] == "Ada Lovelace")
        }
    }

    @Test("OIDC Core §5.5.1: a claim whose value is none of those asked for is left out")
    func values() async throws {
        try await TestServer.run { server in
            let tokens = try await RelyingParty.regularWebApp(server).tokens([
                "scope": "openid",
                "claims": #"{"id_token":{"name":{"value":"Ada Lovelace"},"nickname":{"values":["bob","eve"]}}}"#,
            ])
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["name"] == "Ada Lovelace")
            #expect(claims["nickname"] == nil)
        }
    }

    @Test("A third party's user is asked about single claims as about the scope that gives them")
    func consent() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.thirdParty(server)
            let browser = TestBrowser(server)
            let claims: [String: String?] = ["scope": "openid", "claims": #"{"userinfo":{"email":null}}"#]
            _ = try await party.authorize(browser, ["scope": "openid"])
            let asked = try await browser.get(party.authorizationURL(claims))
            #expect(asked.location?.hasPrefix("/u/consent") == true)
            #expect(
                try await browser.get(party.authorizationURL(claims.merging(["prompt": "none"]) { $1 }))
                    .query("error") == "consent_required")
            let answered = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            let tokens = try await party.redeem(answered.query("code") ?? "").json()
            #expect(try await Self.userInfo(tokens["access_token"]?.string ?? "", server)["email"] == "ada@example.com")
            #expect(try await browser.get(party.authorizationURL(claims)).query("code") != nil)
        }
    }

    @Test(
        "OIDC Core §5.5.1.1: an essential acr that no login reaches is unmet_authentication_requirements; a voluntary one is not"
    )
    func authenticationContext() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let refused = try await server.get(
                party.authorizationURL([
                    "claims": #"{"id_token":{"acr":{"essential":true,"values":["urn:mace:incommon:iap:silver"]}}}"#
                ]))
            #expect(refused.query("error") == "unmet_authentication_requirements")
            for changes in [
                ["acr_values": "urn:mace:incommon:iap:silver"],
                ["claims": #"{"id_token":{"acr":{"values":["urn:mace:incommon:iap:silver"]}}}"#],
            ] as [[String: String?]] {
                #expect(try await party.authorize(TestBrowser(server), changes).query("code") != nil)
            }
        }
    }

    @Test("OIDC Core §5.5.1: auth_time as an essential claim is in the ID token")
    func authenticationTime() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let asked = try await party.tokens(["claims": #"{"id_token":{"auth_time":{"essential":true}}}"#])
            #expect(asked["id_token"]?.string?.claims["auth_time"]?.integer != nil)
            let plain = try await party.tokens()
            #expect(plain["id_token"]?.string?.claims["auth_time"] == nil)
        }
    }

    @Test("OIDC Core §3.1.2.1: display, ui_locales, claims_locales and unknown parameters never fail a request")
    func ignored() async throws {
        try await TestServer.run { server in
            for changes in [
                ["display": "page"], ["display": "popup"], ["display": "hologram"], ["ui_locales": "xx-Klingon de"],
                ["claims_locales": "ja fr"], ["extra": "foobar"],
            ] as [[String: String?]] {
                let answer = try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server), changes)
                #expect(answer.query("code") != nil)
            }
        }
    }

    // MARK: id_token_hint

    @Test("OIDC Core §3.1.2.1: id_token_hint of the signed-in user is answered, of another one is login_required")
    func hint() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = TestBrowser(server)
            let idToken = try await party.redeem(party.code(browser)).json()["id_token"]?.string ?? ""
            let silent: [String: String?] = ["prompt": "none", "id_token_hint": idToken]
            #expect(try await browser.get(party.authorizationURL(silent)).query("code") != nil)
            server.clock.advance(by: 40_000)
            #expect(
                try await browser.get(party.authorizationURL(silent)).query("code") != nil, "an expired hint counts")

            let other = TestBrowser(server)
            let login = try await other.get(party.authorizationURL())
            _ = try await other.logIn(login, email: "grace@example.com", password: User.gracePassword)
            #expect(try await other.get(party.authorizationURL(silent)).query("error") == "login_required")
            let asked = try await other.get(party.authorizationURL(["id_token_hint": idToken]))
            #expect(asked.location?.hasPrefix("/u/login") == true)
            let wrong = try await other.logIn(asked, email: "grace@example.com", password: User.gracePassword)
            #expect(wrong.query("error") == "login_required")
            let again = try await other.get(party.authorizationURL(["id_token_hint": idToken]))
            #expect(try await other.logIn(again, password: User.adaPassword).query("code") != nil)
        }
    }

    @Test("OIDC Core §5.5.1: a value for sub among the claims counts as a hint does")
    func subject() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = TestBrowser(server)
            _ = try await party.authorize(browser)
            for (user, name) in [("auth0|aaaaaaaaaaaaaaaaaaaaaaaa", "code"), ("auth0|nobody", "error")] {
                let claims = #"{"id_token":{"sub":{"value":"\#(user)"}}}"#
                let answer = try await browser.get(party.authorizationURL(["prompt": "none", "claims": claims]))
                #expect(answer.query(name) != nil)
            }
        }
    }

    @Test("An access token, a forged ID token or noise is no id_token_hint")
    func wrongHint() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["audience": "appointments:api", "scope": "openid appointments"])
            let idToken = tokens["id_token"]?.string ?? ""
            let unsigned = idToken.split(separator: ".").prefix(2).joined(separator: ".") + "."
            let none = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + idToken.split(separator: ".")[1] + "."
            for text in [tokens["access_token"]?.string ?? "", unsigned, none, idToken + "A", "x", "a.b.c"] {
                let answer = try await server.get(party.authorizationURL(["id_token_hint": text]))
                #expect(answer.query("error") == "invalid_request")
            }
        }
    }

    // MARK: resource

    @Test("RFC 8707 §2: resource names the API, must agree with audience, and limits the token request")
    func resource() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = TestBrowser(server)
            let asked: [String: String?] = ["resource": "appointments:api", "scope": "openid appointments"]
            let code = try await party.code(browser, asked)
            let token = try await party.redeem(code, ["resource": "appointments:api"]).json()["access_token"]?.string
            #expect(token?.claims["aud"]?.array?.first == "appointments:api")

            let other = try await party.redeem(party.code(browser, asked), ["resource": "https://other.example/"])
            #expect(try other.json()["error"] == "invalid_target")
            for (changes, error) in [
                (["resource": "https://nothing.example/"], "access_denied"),
                (["resource": "appointments:api", "audience": "other"], "invalid_target"),
                (["resource": "relative"], "invalid_target"),
            ] as [([String: String?], String)] {
                let answer = try await browser.get(party.authorizationURL(changes))
                #expect(answer.query("error") == error)
            }
            let machine = try await RelyingParty.machine(server)
                .token(["grant_type": "client_credentials", "resource": "appointments:api"])
            #expect(try machine.json()["access_token"]?.string?.claims["aud"] == "appointments:api")
        }
    }

    @Test("Auth0 ignores resource unless resource_parameter_profile is compatibility")
    func resourceInAuth0() async throws {
        for (profile, isRead) in [(nil, false), (.audience, false), (.compatibility, true)]
            as [(ResourceParameterProfile?, Bool)]
        {
            var fixtures = Fixtures()
            fixtures.settings.wireDialect = .auth0
            fixtures.settings.resourceParameterProfile = profile
            try await TestServer.run(fixtures) { server in
                let tokens = try await RelyingParty.regularWebApp(server).tokens(["resource": "appointments:api"])
                #expect(tokens["access_token"]?.string?.contains(".") == isRead)
            }
        }
    }
}
