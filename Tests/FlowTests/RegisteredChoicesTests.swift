import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("What a client has chosen for all its requests")
struct RegisteredChoicesTests {
    @Test("OIDC Registration §2: default_max_age asks where the login is older, unless the request says otherwise")
    func defaultMaxAge() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.openID.defaultMaxAge = 60 }
        try await TestServer.run(fixtures) { server in
            let (browser, party) = (TestBrowser(server), RelyingParty.regularWebApp(server))
            let first = try await party.redeem(party.code(browser)).json()["id_token"]?.string ?? ""
            #expect(first.claims["auth_time"]?.integer == Int(server.clock.now.timeIntervalSince1970))
            server.clock.advance(by: 61)
            #expect(try await browser.get(party.authorizationURL()).location?.hasPrefix("/u/login") == true)
            #expect(try await browser.get(party.authorizationURL(["max_age": "100"])).query("code") != nil)
        }
    }

    @Test("OIDC Registration §2: with require_auth_time each ID token tells when the user authenticated")
    func requireAuthTime() async throws {
        var fixtures = Fixtures()
        try await TestServer.run(fixtures) { server in
            let token = try await RelyingParty.regularWebApp(server).tokens()["id_token"]?.string ?? ""
            #expect(token.claims["auth_time"] == nil)
        }
        fixtures.change("regular-web-app") { $0.openID.requiresAuthenticationTime = true }
        try await TestServer.run(fixtures) { server in
            let token = try await RelyingParty.regularWebApp(server).tokens()["id_token"]?.string ?? ""
            #expect(token.claims["auth_time"]?.integer == Int(server.clock.now.timeIntervalSince1970))
        }
    }

    @Test("OIDC Registration §2: a client is held to the response types that it registered")
    func responseTypes() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { client in
            client.grantTypes.insert(.implicit)
            client.openID.responseTypes = [[.code, .idToken]]
        }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let refused = try await party.authorize(TestBrowser(server))
            #expect(refused.query("error") == "unauthorized_client")
            let answer = try await party.authorize(
                TestBrowser(server), ["response_type": "id_token code", "nonce": "n"])
            #expect(answer.fragment("code") != nil)
        }
    }

    @Test("RFC 9700 §2.1.1: a third-party client without a secret must use PKCE, with S256")
    func proofKey() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server, ["token_endpoint_auth_method": "none"])
            let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
            for (changes, isAllowed) in [
                ([:], false), (["code_challenge": challenge], false),
                (["code_challenge": challenge, "code_challenge_method": "plain"], false),
                (["code_challenge": challenge, "code_challenge_method": "S256"], true),
            ] as [([String: String?], Bool)] {
                let answer = try await TestBrowser(server).get(client.party.authorizationURL(changes))
                #expect((answer.location?.hasPrefix("/u/login") == true) == isAllowed)
                #expect((answer.query("error") == "invalid_request") == !isAllowed)
            }
        }
    }

    @Test(
        "oidcc-registration-logo-uri, oidcc-registration-policy-uri, oidcc-registration-tos-uri: pages show what the client has registered"
    )
    func information() async throws {
        try await TestServer.run(.openRegistration) { server in
            let addresses = ["logo_uri", "policy_uri", "tos_uri"].map { ($0, "https://app.example.com/\($0)") }
            let client = try await DynamicClient(
                server, Dictionary(uniqueKeysWithValues: addresses.map { ($0.0, .string($0.1)) }))
            let browser = TestBrowser(server)
            let asked = try await browser.get(client.party.authorizationURL())
            let login = try await browser.get(asked.location ?? "").text
            let consent = try await browser.logIn(asked, password: User.adaPassword)
            let decision = try await browser.get(consent.location ?? "").text
            for page in [login, decision] {
                #expect(page.contains(#"src="https://app.example.com/logo_uri""#))
                #expect(page.contains(#"href="https://app.example.com/policy_uri""#))
                #expect(page.contains(#"href="https://app.example.com/tos_uri""#))
            }
        }
    }

    // MARK: Logins that are lost

    @Test("OIDC Core §4 and Auth0: a login that is over begins again at the application")
    func initiateLogin() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.initiateLoginURI = "https://app.example.com/login?from=portico" }
        try await TestServer.run(fixtures) { server in
            let (browser, party) = (TestBrowser(server), RelyingParty.regularWebApp(server))
            let page = try await browser.get(party.authorizationURL()).location ?? ""
            let expected = "https://app.example.com/login?from=portico&iss=https%3A%2F%2Flogin.example.com%2F"
            server.clock.advance(by: 3601)
            for answer in [
                try await browser.get(page), try await browser.post(page, [("username", "ada@example.com")]),
                try await TestBrowser(server).get(page),
            ] {
                #expect(answer.status == .found)
                #expect(answer.location == expected)
            }
            // The same after it was finished.
            let second = try await browser.get(party.authorizationURL())
            _ = try await browser.logIn(second, password: User.adaPassword)
            #expect(try await browser.get(second.location ?? "").location == expected)
        }
    }

    @Test("A login that is under way in another browser, or in this one without cookies, is no reason to begin again")
    func otherBrowser() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.initiateLoginURI = "https://app.example.com/login" }
        try await TestServer.run(fixtures) { server in
            let page = try await TestBrowser(server).get(RelyingParty.regularWebApp(server).authorizationURL())
            let answer = try await TestBrowser(server).get(page.location ?? "")
            #expect(answer.status == .badRequest)
            #expect(answer.location == nil)
        }
    }

    @Test("Nobody is sent to an address without https, nor to one that the link itself brings")
    func noOpenRedirect() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.initiateLoginURI = "http://app.example.com/login" }
        try await TestServer.run(fixtures) { server in
            let (browser, party) = (TestBrowser(server), RelyingParty.regularWebApp(server))
            let page = try await browser.get(party.authorizationURL()).location ?? ""
            server.clock.advance(by: 3601)
            let evil = Base64URL.encode("https://evil.example/".utf8)
            for path in [page, "/u/login?state=x.\(evil)", "/u/login?state=x", "/u/login?state=x.%00", "/u/login"] {
                let answer = try await browser.get(path)
                #expect(answer.status == .badRequest, "\(path)")
            }
        }
    }

    @Test("Auth0: the tenant's default_redirection_uri takes those whose application is unknown")
    func defaultRedirection() async throws {
        var fixtures = Fixtures()
        fixtures.settings.defaultRedirectionURI = "https://www.example.com/start"
        try await TestServer.run(fixtures) { server in
            let answer = try await TestBrowser(server).get("/u/login?state=unknown")
            #expect(answer.location == "https://www.example.com/start?iss=https%3A%2F%2Flogin.example.com%2F")
        }
    }
}
