import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The modules of the OpenID Foundation's conformance plan for RP-Initiated Logout 1.0, and what they leave out.
@Suite("OpenID Connect RP-Initiated Logout 1.0")
struct RPInitiatedLogoutTests {
    private static func run(
        _ change: (inout Fixtures) throws -> Void = { _ in },
        _ body: @Sendable (TestServer, TestBrowser, RelyingParty) async throws -> Void
    ) async throws {
        try await TestServer.run(LogoutFixtures.make(change)) { server in
            try await body(server, TestBrowser(server), RelyingParty.regularWebApp(server))
        }
    }

    @Test("oidcc-rp-initiated-logout §2, §3: with an ID token the browser goes back with its state, and is logged out")
    func logout() async throws {
        try await Self.run { _, browser, party in
            let token = try await browser.idToken(party)
            let state = String(repeating: "aZ09-._~", count: 15) + "\"<&=+ü😀"
            let answer = try await browser.get(
                TestServer.logoutURL([
                    "id_token_hint": token, "post_logout_redirect_uri": LogoutFixtures.goodbye, "state": state,
                ]))
            #expect(answer.status == .found)
            #expect(answer.location == LogoutFixtures.goodbye + "&state=" + state.formEncoded)
            #expect(browser.cookies["auth0"] == nil)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "login_required")
        }
    }

    @Test("oidcc-rp-initiated-logout-no-state §3: without a state none is made up")
    func noState() async throws {
        try await Self.run { _, browser, party in
            let token = try await browser.idToken(party)
            let answer = try await browser.get(
                TestServer.logoutURL([
                    "id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/",
                ]))
            #expect(answer.location == "https://app.example.com/")
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("§2: the request may be posted, and the ID token may have expired")
    func postedWithExpiredToken() async throws {
        try await Self.run { server, browser, party in
            let token = try await browser.idToken(party)
            server.clock.advance(by: 40_000)
            #expect((token.claims["exp"]?.integer ?? .max) < Int(server.clock.now.timeIntervalSince1970))
            let answer = try await browser.post(
                "/oidc/logout",
                [("id_token_hint", token), ("post_logout_redirect_uri", LogoutFixtures.goodbye), ("state", "s")])
            #expect(answer.location == LogoutFixtures.goodbye + "&state=s")
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("oidcc-rp-initiated-logout-no-post-logout-redirect-uri §4: a page says that the user is logged out")
    func noRedirectURI() async throws {
        try await Self.run { _, browser, party in
            let token = try await browser.idToken(party)
            let answer = try await browser.get(TestServer.logoutURL(["id_token_hint": token, "state": "s"]))
            #expect(answer.status == .ok)
            #expect(answer.location == nil)
            #expect(answer.text.contains("You are logged out"))
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test(
        "oidcc-rp-initiated-logout-no-params, -only-state §2: the user is asked; yes logs out, without a redirect",
        arguments: [[:], ["state": "s"]])
    func nothingProved(parameters: [String: String]) async throws {
        try await Self.run { _, browser, party in
            _ = try await browser.idToken(party)
            let page = try await browser.get(TestServer.logoutURL(parameters.mapValues(Optional.some)))
            #expect(page.status == .ok)
            #expect(page.text.contains("Are you sure you want to log out"))
            #expect(try await browser.isLoggedIn())
            let answer = try await browser.answer(page, "accept")
            #expect(answer.text.contains("You are logged out"))
            #expect(answer.location == nil)
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("§2: no keeps the session and says so")
    func declined() async throws {
        try await Self.run { _, browser, party in
            _ = try await browser.idToken(party)
            let page = try await browser.get(TestServer.logoutURL(["client_id": "regular-web-app"]))
            #expect(page.text.contains("Are you sure you want to log out from Regular Web App?"))
            let answer = try await browser.answer(page, "deny")
            #expect(answer.text.contains("You are still logged in"))
            #expect(answer.location == nil)
            #expect(try await browser.isLoggedIn())
        }
    }

    @Test("§2: client_id names the application; a yes goes back to it with the state")
    func clientID() async throws {
        try await Self.run { _, browser, party in
            _ = try await browser.idToken(party)
            let page = try await browser.get(
                TestServer.logoutURL([
                    "client_id": "regular-web-app", "post_logout_redirect_uri": LogoutFixtures.goodbye, "state": "a b",
                ]))
            #expect(page.status == .ok)
            #expect(try await browser.answer(page, "accept").location == LogoutFixtures.goodbye + "&state=a%20b")
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test(
        "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri, -query-added §3: an error page, and nothing has ended",
        arguments: [
            "https://app.example.com/goodbye", LogoutFixtures.goodbye + "&foo=bar", "https://app.example.com/?foo=bar",
            "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
            LogoutFixtures.goodbye + "#fragment", LogoutFixtures.tenantGoodbye, "https://app.example.com.evil.example/",
        ])
    func badRedirectURI(uri: String) async throws {
        try await Self.run { _, browser, party in
            let token = try await browser.idToken(party)
            let answer = try await browser.get(
                TestServer.logoutURL(["id_token_hint": token, "post_logout_redirect_uri": uri, "state": "s"]))
            #expect(answer.status == .badRequest)
            #expect(answer.location == nil)
            #expect(answer.text.contains("Allowed Logout URLs"))
            #expect(try await browser.isLoggedIn())
        }
    }

    @Test("oidcc-rp-initiated-logout-no-id-token-hint §2: an address that only an application allows is refused")
    func noHint() async throws {
        try await Self.run { _, browser, party in
            _ = try await browser.idToken(party)
            let answer = try await browser.get(
                TestServer.logoutURL(["post_logout_redirect_uri": LogoutFixtures.goodbye, "state": "s"]))
            #expect(answer.status == .badRequest)
            #expect(answer.location == nil)
            #expect(try await browser.isLoggedIn())
            let asked = try await browser.get(
                TestServer.logoutURL(["post_logout_redirect_uri": LogoutFixtures.tenantGoodbye]))
            #expect(asked.status == .ok)
            #expect(try await browser.answer(asked, "accept").location == LogoutFixtures.tenantGoodbye)
        }
    }

    @Test("§2: client_id must be the hint's audience, and an application that exists")
    func wrongClient() async throws {
        try await Self.run { _, browser, party in
            let token = try await browser.idToken(party)
            for clientID in ["single-page-app", "unknown"] {
                let answer = try await browser.get(
                    TestServer.logoutURL(["id_token_hint": token, "client_id": clientID]))
                #expect(answer.status == .badRequest)
            }
            #expect(try await browser.get(TestServer.logoutURL(["client_id": "unknown"])).status == .badRequest)
            #expect(try await browser.isLoggedIn())
            let right = try await browser.get(
                TestServer.logoutURL(["id_token_hint": token, "client_id": "regular-web-app"]))
            #expect(right.text.contains("You are logged out"))
        }
    }

    @Test("§6: another user's ID token, or another session's, proves nothing: the user is asked")
    func foreignHint() async throws {
        try await Self.run { server, browser, party in
            _ = try await browser.idToken(party)
            let (other, same) = (TestBrowser(server), TestBrowser(server))
            let started = try await other.get(party.authorizationURL())
            let answered = try await other.logIn(started, email: "grace@example.com", password: User.gracePassword)
            let graces = try await party.redeem(answered.query("code") ?? "").json()["id_token"]?.string ?? ""
            #expect(graces.claims["sub"]?.string == User.grace.id)
            let elsewhere = try await same.idToken(party)
            #expect(elsewhere.claims["sub"]?.string == User.ada.id)
            for token in [graces, elsewhere] {
                let page = try await browser.get(
                    TestServer.logoutURL([
                        "id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/",
                    ]))
                #expect(page.status == .ok)
                #expect(page.text.contains("Are you sure"))
                #expect(try await browser.isLoggedIn())
            }
            for session in [other, same] { #expect(try await session.isLoggedIn()) }
        }
    }

    @Test("Auth0: logout_hint is the session's sid; another value proves nothing")
    func logoutHint() async throws {
        try await Self.run { _, browser, party in
            let sid = try await browser.idToken(party).claims["sid"]?.string
            let wrong = try await browser.get(
                TestServer.logoutURL(["client_id": "regular-web-app", "logout_hint": "wrong"]))
            #expect(wrong.text.contains("Are you sure"))
            let answer = try await browser.get(
                TestServer.logoutURL([
                    "client_id": "regular-web-app", "logout_hint": sid,
                    "post_logout_redirect_uri": LogoutFixtures.goodbye,
                ]))
            #expect(answer.location == LogoutFixtures.goodbye)
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("A logout form without this browser's token, or with another's, ends nothing")
    func forged() async throws {
        try await Self.run { server, browser, party in
            _ = try await browser.idToken(party)
            let stranger = TestBrowser(server)
            _ = try await stranger.idToken(party)
            let foreign = TestBrowser.hiddenFields(try await stranger.get("/oidc/logout").text)
            for fields in [foreign, [("_csrf", "wrong")], []] {
                let answer = try await browser.post("/u/logout", fields + [("action", "accept")])
                #expect(answer.status == .forbidden)
                #expect(answer.text.contains("out of date"))
                #expect(answer.headers[values: .setCookie].allSatisfy { !$0.hasPrefix("auth0=") })
                #expect(try await browser.isLoggedIn())
            }
            let page = try await browser.get("/oidc/logout")
            #expect(try await browser.answer(page, "maybe").status == .badRequest)
            #expect(try await browser.isLoggedIn())
        }
    }

    @Test("Whoever has no session goes on to where it may, and another site's post without cookies removes none")
    func withoutSession() async throws {
        try await Self.run { server, browser, party in
            let token = try await browser.idToken(party)
            let request = TestServer.logoutURL([
                "id_token_hint": token, "post_logout_redirect_uri": LogoutFixtures.goodbye,
            ])
            let answer = try await server.get(request)
            #expect(answer.location == LogoutFixtures.goodbye)
            #expect(answer.headers[.setCookie] == nil)
            #expect(try await server.post("/oidc/logout", form: []).headers[.setCookie] == nil)
            #expect(try await browser.isLoggedIn())
            #expect(try await browser.get(request).location == LogoutFixtures.goodbye)
            #expect(try await browser.get(request).location == LogoutFixtures.goodbye)
            #expect(try await browser.get("/oidc/logout").text.contains("You are logged out"))
        }
    }

    @Test("A parameter that is sent twice is refused (RFC 6749 §3.1)")
    func duplicates() async throws {
        try await Self.run { _, browser, party in
            let token = try await browser.idToken(party)
            let answer = try await browser.get("/oidc/logout?id_token_hint=\(token)&id_token_hint=\(token)")
            #expect(answer.status == .badRequest)
            #expect(try await browser.isLoggedIn())
        }
    }

    @Test("Discovery §2.1: end_session_endpoint, unless the tenant leaves it out; a tenant may do without the question")
    func settings() async throws {
        try await Self.run { server, _, _ in
            let document = try await server.get("/.well-known/openid-configuration").json()
            #expect(document["end_session_endpoint"] == "https://login.example.com/oidc/logout")
            for name in ["backchannel_logout", "frontchannel_logout"] {
                #expect(document["\(name)_supported"] == true)
                #expect(document["\(name)_session_supported"] == true)
            }
        }
        try await Self.run({
            $0.settings.logout.isEndSessionEndpointPublished = false
            $0.settings.logout.asksBeforeLogout = false
        }) { server, browser, party in
            let document = try await server.get("/.well-known/openid-configuration").json()
            #expect(document["end_session_endpoint"] == nil)
            _ = try await browser.idToken(party)
            #expect(try await browser.get("/oidc/logout").text.contains("You are logged out"))
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("The confirmation page cannot be framed, and its form leads back to the application only")
    func policy() async throws {
        try await Self.run({
            try $0.change("regular-web-app") { $0.allowedLogoutURLs.append(try RegisteredURI("myapp://bye")) }
        }) { _, browser, party in
            _ = try await browser.idToken(party)
            let page = try await browser.get(
                TestServer.logoutURL([
                    "client_id": "regular-web-app", "post_logout_redirect_uri": "myapp://bye",
                    "state": "\"><script>alert(1)</script>",
                ]))
            let policy = page.headers[.contentSecurityPolicy] ?? ""
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(policy.contains("form-action 'self' https: myapp:"))
            #expect(!policy.contains("frame-src"))
            #expect(!page.text.contains("<script>alert"))
        }
    }
}
