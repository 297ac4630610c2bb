import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Sessions and login transactions")
struct SessionTests {
    @Test("Single sign-on: a second application signs in without a page")
    func singleSignOn() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).authorize(browser)
            let answer = try await browser.get(RelyingParty.singlePageApp(server).authorizationURL())
            #expect(answer.query("code")?.isEmpty == false)
            let silent = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(["prompt": "none"]))
            #expect(silent.query("code")?.isEmpty == false)
        }
    }

    @Test("OIDC Core §3.1.2.1: prompt=login asks although there is a session, and auth_time tells when")
    func promptLogin() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.authorize(browser)
            server.clock.advance(by: 100)
            let asked = try await browser.get(party.authorizationURL(["prompt": "login"]))
            #expect(asked.location?.hasPrefix("/u/login") == true)
            let answer = try await browser.logIn(asked, password: User.adaPassword)
            let token = try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string ?? ""
            #expect(token.claims["auth_time"]?.integer == Int(server.clock.now.timeIntervalSince1970))
        }
    }

    @Test("OIDC Core §3.1.2.1: max_age asks where the login is older")
    func maxAge() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.authorize(browser)
            server.clock.advance(by: 60)
            #expect(try await browser.get(party.authorizationURL(["max_age": "61"])).query("code") != nil)
            let old = try await browser.get(party.authorizationURL(["max_age": "59"]))
            #expect(old.location?.hasPrefix("/u/login") == true)
            let zero = try await browser.get(party.authorizationURL(["max_age": "0", "prompt": "none"]))
            #expect(zero.query("error") == "login_required")
        }
    }

    @Test("Auth0: a session ends after three days without use, and after seven whatever happens")
    func lifetimes() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let idle = TestBrowser(server)
            _ = try await party.authorize(idle)
            server.clock.advance(by: 3 * 86_400 + 1)
            #expect(try await idle.get(party.authorizationURL(["prompt": "none"])).query("error") == "login_required")
            let busy = TestBrowser(server)
            _ = try await party.authorize(busy)
            for _ in 0..<3 {
                server.clock.advance(by: 2 * 86_400)
                #expect(try await busy.get(party.authorizationURL(["prompt": "none"])).query("code") != nil)
            }
            server.clock.advance(by: 86_401)
            #expect(try await busy.get(party.authorizationURL(["prompt": "none"])).query("error") == "login_required")
        }
    }

    @Test("The session's id is new at each login, and the old one is worth nothing")
    func fixation() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.authorize(browser)
            let old = browser.cookies["auth0"]
            _ = try await browser.logIn(
                browser.get(party.authorizationURL(["prompt": "login"])), password: User.adaPassword)
            #expect(browser.cookies["auth0"] != old)
            browser.setCookie("auth0", old)
            let answer = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(answer.query("error") == "login_required")
        }
    }

    @Test("Cookies: HttpOnly, Secure, SameSite and a lifetime")
    func cookies() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let answer = try await browser.submit(
                started, [("username", "ada@example.com"), ("password", User.adaPassword)])
            let cookie = answer.headers[values: .setCookie].first { $0.hasPrefix("auth0=") } ?? ""
            for attribute in ["HttpOnly", "Secure", "SameSite=None", "Path=/", "Max-Age=604800"] {
                #expect(cookie.contains(attribute))
            }
        }
    }

    @Test("A blocked user's session is over")
    func blockedUser() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.authorize(browser)
            try await server.services.stores.database.write { try UserStore.setBlocked(true, User.ada.id, in: $0) }
            let answer = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(answer.query("error") == "login_required")
        }
    }

    @Test("A session of a connection that does not serve the application asks for a login")
    func otherConnection() async throws {
        var fixtures = Fixtures()
        fixtures.connections[0].enabledClients.remove("single-page-app")
        fixtures.connections.append(UpstreamLoginTests.connection("stand-in", clients: ["single-page-app"]))
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).authorize(browser)
            let answer = try await browser.get(RelyingParty.singlePageApp(server).authorizationURL(["prompt": "none"]))
            #expect(answer.query("error") == "login_required")
        }
    }

    @Test("A login transaction opens in its own browser only, for an hour")
    func transactionIsBound() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let page = started.location ?? ""
            let other = TestBrowser(server)
            _ = try await other.get(RelyingParty.regularWebApp(server).authorizationURL())
            #expect(try await other.get(page).status == .badRequest)
            #expect(try await server.get(page).status == .badRequest)
            #expect(try await browser.get(page).status == .ok)
            server.clock.advance(by: 3601)
            #expect(try await browser.get(page).status == .badRequest)
        }
    }

    @Test("Auth0: a browser keeps ten login transactions, and loses the oldest")
    func tenTransactions() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            var pages: [String] = []
            for _ in 0..<11 {
                pages.append(
                    try await browser.get(RelyingParty.regularWebApp(server).authorizationURL()).location ?? "")
                server.clock.advance(by: 1)
            }
            #expect(try await browser.get(pages[0]).status == .badRequest)
            #expect(try await browser.get(pages[1]).status == .ok)
            #expect(try await browser.get(pages[10]).status == .ok)
        }
    }

    @Test("A transaction is answered once: resuming it again gives no second code")
    func answeredOnce() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let resumed = try await browser.submit(
                started, [("username", "ada@example.com"), ("password", User.adaPassword)])
            let first = try await browser.get(resumed.location ?? "")
            #expect(first.query("code") != nil)
            let second = try await browser.get(resumed.location ?? "")
            #expect(second.status == .badRequest)
            #expect(second.location == nil)
        }
    }

    @Test("Auth0: logout ends the session and goes only where it may")
    func logout() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.authorize(browser)
            let allowed = "/v2/logout?client_id=regular-web-app&returnTo=" + "https://app.example.com/?a=1".formEncoded
            #expect(try await browser.get(allowed).location == "https://app.example.com/?a=1")
            #expect(browser.cookies["auth0"] == nil)
            #expect(
                try await browser.get(party.authorizationURL(["prompt": "none"])).query("error") == "login_required")
            for target in [
                "https://evil.example/", "//evil.example", "/\\evil.example", "https://app.example.com.evil.example/",
            ] {
                let refused = try await browser.get(
                    "/v2/logout?client_id=regular-web-app&returnTo=" + target.formEncoded)
                #expect(refused.status == .badRequest)
                #expect(refused.location == nil)
            }
            #expect(try await browser.get("/v2/logout").status == .ok)
        }
    }
}
