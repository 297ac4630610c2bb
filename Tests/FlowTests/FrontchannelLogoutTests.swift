import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("OpenID Connect Front-Channel Logout 1.0")
struct FrontchannelLogoutTests {
    /// The addresses of a page's frames.
    private static func frames(_ page: TestResponse) -> [String] {
        page.text.matches(of: /<iframe[^>]*src="([^"]*)"/).map { String($0.1).replacing("&amp;", with: "&") }
    }

    @Test("oidcc-frontchannel-rp-initiated-logout §2, §3: a frame with iss and sid, then back to the application")
    func frame() async throws {
        try await TestServer.run(LogoutFixtures.telling()) { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            let page = try await browser.get(
                TestServer.logoutURL([
                    "id_token_hint": token, "post_logout_redirect_uri": LogoutFixtures.goodbye, "state": "a&b",
                ]))
            #expect(page.status == .ok)
            let sid = try #require(token.claims["sid"]?.string)
            #expect(
                Self.frames(page) == [
                    LogoutFixtures.frontchannel + "&iss=https%3A%2F%2Flogin.example.com%2F&sid=\(sid)"
                ])
            let next = LogoutFixtures.goodbye + "&state=a%26b"
            let html = page.text.replacing("&amp;", with: "&")
            #expect(html.contains(#"<meta http-equiv="refresh" content="5; url=\#(next)">"#))
            #expect(html.contains(#"href="\#(next)" data-continue"#))
            #expect(html.firstMatch(of: /<script src="\/assets\/logout-[0-9a-f]+\.js" defer>/) != nil)
            #expect(browser.cookies["auth0"] == nil)
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("The page may frame the applications' origins and nothing else")
    func policy() async throws {
        let fixtures = try LogoutFixtures.telling { fixtures in
            try fixtures.change("single-page-app") { client in
                client.callbacks.append(try RegisteredURI("http://localhost:3000/callback"))
                client.logout.frontchannelURI = "http://localhost:3000/out"
            }
        }
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            _ = try await browser.idToken(.singlePageApp(server))
            let page = try await browser.get(TestServer.logoutURL(["id_token_hint": token]))
            let policy = (page.headers[.contentSecurityPolicy] ?? "").split(separator: "; ")
            #expect(policy.contains("frame-src http://localhost:3000 https://app.example.com"))
            #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
            #expect(Self.frames(page).contains("http://localhost:3000/out"))
            #expect(Self.frames(page).count == 2)
            #expect(!page.text.contains("http-equiv"))
            #expect(page.text.contains("You are logged out"))
        }
    }

    @Test("§3: only applications that the session signed in to have a frame, and only once")
    func participants() async throws {
        try await TestServer.run(LogoutFixtures.telling()) { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.singlePageApp(server))
            let request = TestServer.logoutURL([
                "id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/",
            ])
            #expect(try await browser.get(request).location == "https://app.example.com/")
            let second = try await browser.idToken(.regularWebApp(server))
            let again = TestServer.logoutURL([
                "id_token_hint": second, "post_logout_redirect_uri": "https://app.example.com/",
            ])
            #expect(try await Self.frames(browser.get(again)).count == 1)
            #expect(try await browser.get(again).location == "https://app.example.com/")
        }
    }

    @Test("Auth0's /v2/logout shows the frames too, wherever 'federated' stands")
    func auth0Logout() async throws {
        for query in [
            "federated&client_id=regular-web-app&returnTo=R", "client_id=regular-web-app&returnTo=R&federated",
        ] {
            try await TestServer.run(LogoutFixtures.telling()) { server in
                let browser = TestBrowser(server)
                _ = try await browser.idToken(.regularWebApp(server))
                let page = try await browser.get(
                    "/v2/logout?" + query.replacing("R", with: "https://app.example.com/".formEncoded))
                #expect(Self.frames(page).count == 1)
                #expect(page.text.contains("url=https://app.example.com/"))
                #expect(try await !browser.isLoggedIn())
            }
        }
    }

    @Test("A confirmed logout shows the frames; a refused one shows none and tells nobody")
    func confirmed() async throws {
        try await TestServer.run(LogoutFixtures.telling()) { server in
            let browser = TestBrowser(server)
            _ = try await browser.idToken(.regularWebApp(server))
            let question = try await browser.get("/oidc/logout")
            #expect(Self.frames(question).isEmpty)
            #expect(try await Self.frames(browser.answer(question, "deny")).isEmpty)
            #expect(try await Self.frames(browser.answer(question, "accept")).count == 1)
        }
    }
}
