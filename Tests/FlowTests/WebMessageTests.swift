import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("response_mode=web_message")
struct WebMessageTests {
    private static func fixtures() -> Fixtures {
        var fixtures = Fixtures()
        fixtures.change("single-page-app") { $0.webOrigins = ["https://app.example.com"] }
        return fixtures
    }

    private static func header(_ name: String, of response: TestResponse) -> String? {
        HTTPField.Name(name).flatMap { response.headers[$0] }
    }

    @Test("Auth0: a silent renewal is answered by a page that only the application's origin may frame")
    func renewal() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.singlePageApp(server)
            let browser = TestBrowser(server)
            _ = try await party.authorize(browser)
            let response = try await browser.get(
                party.authorizationURL(["prompt": "none", "response_mode": "web_message"]))
            #expect(response.status == .ok)
            #expect(response.text.contains("<title>Authorization Response</title>"))
            #expect(response.text.contains(#"data-web-message="https://app.example.com""#))
            let answer = AuthorizationAnswer(response)
            #expect(answer["state"] == "xyzABC123")
            #expect(try await party.redeem(answer["code"] ?? "").status == .ok)
            let policy = response.headers[.contentSecurityPolicy] ?? ""
            #expect(policy.contains("frame-ancestors https://app.example.com;"))
            #expect(policy.contains("script-src 'self'"))
            #expect(Self.header("X-Frame-Options", of: response) == nil)
        }
    }

    @Test("OIDC Core §3.1.2.6: without a session the message says login_required")
    func loginRequired() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let response = try await server.get(
                RelyingParty.singlePageApp(server).authorizationURL([
                    "prompt": "none", "response_mode": "web_message",
                ]))
            #expect(response.status == .ok)
            #expect(AuthorizationAnswer(response)["error"] == "login_required")
        }
    }

    @Test("A callback whose origin is not a web origin of the application gets no message, and the page says why")
    func foreignOrigin() async throws {
        var fixtures = Fixtures()
        fixtures.change("single-page-app") { $0.webOrigins = ["https://app.example.org"] }
        try await TestServer.run(fixtures) { server in
            let response = try await server.get(
                RelyingParty.singlePageApp(server).authorizationURL(["response_mode": "web_message"]))
            #expect(response.status == .badRequest)
            #expect(response.location == nil)
            #expect(!response.text.contains("data-web-message"))
            #expect(response.text.contains("https://app.example.org"))
            #expect(response.text.contains("web_origins"))
            #expect(Self.header("X-Frame-Options", of: response) == "DENY")
        }
    }

    @Test("A window that waits for its message stays the opener of every page on the way; others do not")
    func openers() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.singlePageApp(server)
            for (mode, policy) in [("web_message", "unsafe-none"), ("query", "same-origin")] {
                let browser = TestBrowser(server)
                let start = try await browser.get(party.authorizationURL(["response_mode": mode]))
                let page = try await browser.get(start.location ?? "")
                let posted = try await browser.submit(
                    start, [("username", "ada@example.com"), ("password", User.adaPassword), ("action", "default")])
                let end = try await browser.get(posted.location ?? "")
                for response in [start, page, posted, end] {
                    #expect(Self.header("Cross-Origin-Opener-Policy", of: response) == policy)
                }
                #expect(Self.header("X-Frame-Options", of: page) == "DENY")
            }
        }
    }

    @Test("A hostile state stays text in the page")
    func hostileState() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let hostile = #"</form><script>alert(1)</script>"'"#
            let response = try await server.get(
                RelyingParty.singlePageApp(server).authorizationURL([
                    "prompt": "none", "response_mode": "web_message", "state": hostile,
                ]))
            #expect(!response.text.contains("<script>alert"))
            #expect(response.text.contains("&lt;script&gt;"))
        }
    }
}
