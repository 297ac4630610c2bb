import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// A logout here that goes on at the provider: Auth0's `federated`.
@Suite("Federated logout")
struct FederatedLogoutTests {
    private static let endpoint = "https://provider.example.com/logout"
    private static let callback = "https://login.example.com/v2/logout/callback"
    private static let home = "https://app.example.com/?a=1"
    private static let request = "/v2/logout?federated&client_id=regular-web-app&returnTo=\(home.formEncoded)"

    /// A browser that has signed in at a provider with the connection `acme`.
    private static func run(
        _ changes: JSONObject = ["end_session_endpoint": .string(endpoint)], fixtures: Fixtures? = nil,
        _ body: @escaping @Sendable (SimulatedProvider, TestServer, TestBrowser) async throws -> Void
    ) async throws {
        let provider = try SimulatedProvider(changes)
        var fixtures = fixtures ?? SimulatedProvider.fixtures()
        fixtures.settings.allowedLogoutURLs = [try RegisteredURI(LogoutFixtures.tenantGoodbye)]
        try await TestServer.run(fixtures, outbound: provider.web) { server in
            let browser = TestBrowser(server)
            #expect(try await provider.signIn(server, in: browser).query("code") != nil)
            try await body(provider, server, browser)
        }
    }

    @Test(
        "LO-5, RP-Initiated Logout 1.0 §2: the session ends here, then the provider's, and returnTo survives the trip",
        arguments: [
            "federated&client_id=regular-web-app&returnTo=R", "client_id=regular-web-app&returnTo=R&federated",
            "federated=&returnTo=R&client_id=regular-web-app", "federated=1&client_id=regular-web-app&returnTo=R",
        ])
    func trip(query: String) async throws {
        try await Self.run { _, server, browser in
            let leaving = try await browser.get("/v2/logout?" + query.replacing("R", with: Self.home.formEncoded))
            #expect(leaving.location?.hasPrefix(Self.endpoint + "?") == true)
            #expect(leaving.query("client_id") == "portico")
            #expect(leaving.query("post_logout_redirect_uri") == Self.callback)
            #expect(leaving.query("id_token_hint")?.claims["sub"] == "u-1")
            #expect(leaving.location?.contains("app.example.com") == false)
            #expect(try await !browser.isLoggedIn())
            let cookie = try #require(leaving.headers[values: .setCookie].first { $0.hasPrefix("portico_logout=") })
            #expect(cookie.contains("HttpOnly") && cookie.contains("Secure") && cookie.contains("Max-Age=600"))
            #expect(cookie.contains("Path=/v2/logout"))
            #expect(try await browser.get("/v2/logout/callback?state=whatever").location == Self.home)
            let again = try await browser.get("/v2/logout/callback")
            #expect(again.status == .ok && again.location == nil && again.text.contains("You are logged out"))
        }
    }

    @Test("RP-Initiated Logout 1.0 §2: a link that no application vouches for has no hint, so that the provider asks")
    func unvouched() async throws {
        try await Self.run { _, _, browser in
            let leaving = try await browser.get("/v2/logout?federated")
            #expect(leaving.location?.hasPrefix(Self.endpoint + "?") == true)
            #expect(leaving.query("client_id") == "portico" && leaving.query("id_token_hint") == nil)
        }
    }

    @Test("Without federated, for a database's user, or without a session the provider is left alone")
    func notAsked() async throws {
        let plain = Self.request.replacing("federated&", with: "")
        try await Self.run { _, server, browser in
            #expect(try await browser.get(plain).location == Self.home)
            #expect(try await browser.get(Self.request).location == Self.home)
            let local = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).authorize(local)
            #expect(try await local.get(Self.request).location == Self.home)
        }
    }

    @Test("A provider without an address for it, or that does not answer, hinders nobody: the user is logged out here")
    func noEndpoint() async throws {
        try await Self.run([:]) { _, _, browser in
            let answer = try await browser.get(Self.request)
            #expect(answer.location == Self.home)
            #expect(try await !browser.isLoggedIn())
        }
        try await Self.run(["end_session_endpoint": "javascript:alert(1)"]) { _, _, browser in
            let answer = try await browser.get(Self.request)
            #expect(answer.location == Self.home)
        }
        try await Self.run { provider, server, browser in
            server.clock.advance(by: 4000)
            provider.web.fail(.timeout, at: "\(SimulatedProvider.issuer)/.well-known/openid-configuration")
            let answer = try await browser.get(Self.request)
            #expect(answer.location == Self.home)
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("A returnTo that is not allowed goes nowhere, by way of the provider neither")
    func forbiddenReturn() async throws {
        try await Self.run { _, _, browser in
            let answer = try await browser.get(
                "/v2/logout?federated&client_id=regular-web-app&returnTo=" + "https://evil.example/".formEncoded)
            #expect(answer.status == .badRequest && answer.location == nil)
            #expect(browser.cookies["portico_logout"] == nil)
            #expect(try await browser.get("/v2/logout/callback").location == nil)
        }
    }

    @Test("Only the browser that left goes on, to the address that was checked, for ten minutes")
    func memory() async throws {
        try await Self.run { provider, server, browser in
            _ = try await browser.get(Self.request)
            let kept = try #require(browser.cookies["portico_logout"])
            #expect(!kept.contains("example"))
            #expect(try await TestBrowser(server).get("/v2/logout/callback").location == nil)
            for forged in ["x", String(kept.dropLast(4)) + "AAAA", try server.services.secret.box.seal("{}")] {
                browser.setCookie("portico_logout", forged)
                #expect(try await browser.get("/v2/logout/callback").location == nil)
            }
            browser.setCookie("portico_logout", kept)
            server.clock.advance(by: 601)
            #expect(try await browser.get("/v2/logout/callback").location == nil)
        }
    }

    @Test("RFC 9700 §4.11.2: somebody else's application logs nobody out of their company")
    func thirdParty() async throws {
        var fixtures = SimulatedProvider.fixtures()
        fixtures.connections[1].enabledClients.insert("third-party-app")
        try await Self.run(fixtures: fixtures) { _, _, browser in
            let page = try await browser.get("/v2/logout?federated&client_id=third-party-app")
            #expect(page.location == nil && !page.text.contains("provider.example.com"))
            #expect(browser.cookies["portico_logout"] == nil)
        }
    }

    @Test("/oidc/logout takes federated too, with a hint and where the user confirms it")
    func endSession() async throws {
        let parameters: [String: String?] = [
            "client_id": "regular-web-app", "post_logout_redirect_uri": "https://app.example.com/", "state": "s 1",
        ]
        try await Self.run { provider, server, browser in
            let question = try await browser.get(TestServer.logoutURL(parameters) + "&federated")
            let leaving = try await browser.answer(question, "accept")
            #expect(leaving.location?.hasPrefix(Self.endpoint + "?") == true)
            #expect(leaving.query("state") == nil)
            #expect(
                try await browser.get("/v2/logout/callback").location == "https://app.example.com/?state=s%201")

            let code = try await provider.signIn(server, in: browser).query("code") ?? ""
            let tokens = try await RelyingParty.regularWebApp(server).redeem(code).json()
            let hint: [String: String?] = ["id_token_hint": tokens["id_token"]?.string]
            let direct = try await browser.get(TestServer.logoutURL(parameters.merging(hint) { $1 }) + "&federated")
            #expect(direct.location?.hasPrefix(Self.endpoint + "?") == true)
        }
    }

    @Test("Frames of applications come first, and lead to the provider")
    func frames() async throws {
        var fixtures = SimulatedProvider.fixtures()
        fixtures.change("regular-web-app") { $0.logout.frontchannelURI = LogoutFixtures.frontchannel }
        try await Self.run(fixtures: fixtures) { _, _, browser in
            let page = try await browser.get(Self.request)
            #expect(page.status == .ok && page.text.contains("<iframe"))
            #expect(page.text.contains("url=\(Self.endpoint)?"))
            #expect(try await browser.get("/v2/logout/callback").location == Self.home)
        }
    }

    @Test("Google and Microsoft have addresses of their own for it, and GitHub none that comes back")
    func others() async throws {
        let web = SimulatedWeb()
        let key = try ForeignKey.rsa()
        try web.put([key], at: "https://www.googleapis.com/oauth2/v3/certs")
        try web.publish(["access_token": "a"], at: "https://login.microsoftonline.com/common/oauth2/v2.0/token")
        try web.publish(["id": "77", "displayName": "Ada"], at: "https://graph.microsoft.com/v1.0/me")
        try await TestServer.run(SocialConnectionTests.fixtures("windowslive"), outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "windowslive"])
            #expect(try await UpstreamLoginTests.arrive(browser, departure, "code=c").query("code") != nil)
            let leaving = try await browser.get(Self.request)
            #expect(
                leaving.location?.hasPrefix("https://login.microsoftonline.com/common/oauth2/v2.0/logout?") == true)
            #expect(leaving.query("post_logout_redirect_uri") == Self.callback)
        }
        try await TestServer.run(SocialConnectionTests.fixtures("google-oauth2"), outbound: web) { server in
            let browser = TestBrowser(server)
            _ = try await GoogleConnectionTests.atGoogle(
                server, web, key, connection: "google-oauth2", hd: nil, in: browser)
            let leaving = try await browser.get(Self.request)
            #expect(leaving.location?.hasPrefix("https://accounts.google.com/Logout?continue=") == true)
            #expect(
                leaving.query("continue")
                    == "https://appengine.google.com/_ah/logout?continue=" + Self.callback.formEncoded)
        }
    }
}
