import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Log events of logins and logouts")
struct LoginLogTests {
    private static func submit(
        _ server: TestServer, _ email: String, _ password: String, _ changes: [String: String?] = [:]
    ) async throws -> TestResponse {
        let browser = TestBrowser(server)
        let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(changes))
        return try await browser.submit(started, [("username", email), ("password", password)])
    }

    @Test("s: a login with a password names the user, the application, the connection and the request")
    func login() async throws {
        try await TestServer.run { server in
            let code = try await RelyingParty.regularWebApp(server).code(
                nil, ["audience": "appointments:api", "scope": "openid appointments"])
            #expect(!code.isEmpty)
            let events = try await server.logEvents()
            let event = try #require(events.first)
            #expect(events.count == 1)
            #expect(event.type == "s" && event.date == server.clock.now)
            #expect(event.userID == User.ada.id && event.userName == "ada@example.com")
            #expect(event.clientID == "regular-web-app" && event.clientName == "Regular Web App")
            #expect(event.connection == Connection.database.name && event.connectionID == Connection.database.id)
            #expect(event.strategy == "auth0" && event.strategyType == "database")
            #expect(event.audience == "appointments:api" && event.scope == "openid appointments")
            #expect(event.hostname == "login.example.com")
            #expect(event.details["request_id"]?.string?.isEmpty == false)
            #expect(event.details["elapsed_ms"]?.integer ?? -1 >= 0)
        }
    }

    @Test("fp and fu: a wrong password names its user, an unknown user only what was typed as an address")
    func failures() async throws {
        try await TestServer.run { server in
            for identifier in ["ada@example.com", "eve@example.com", "hunter2 is my password"] {
                #expect(try await Self.submit(server, identifier, "wrong-password-1").status == .badRequest)
            }
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["fp", "fu", "fu"])
            #expect(events.map(\.userID) == [User.ada.id, nil, nil])
            #expect(events.map(\.userName) == ["ada@example.com", "eve@example.com", nil])
            #expect(events.allSatisfy { $0.clientID == "regular-web-app" })
            #expect(events.allSatisfy { $0.description == "Wrong email or password." })
        }
    }

    @Test("limit_wc: an attempt at a blocked account")
    func blocked() async throws {
        var fixtures = Fixtures()
        fixtures.settings.bruteForceMaximumAttempts = 2
        try await TestServer.run(fixtures) { server in
            for _ in 0..<3 { _ = try await Self.submit(server, "ada@example.com", "wrong-password-1") }
            #expect(try await server.logTypes() == ["fp", "fp", "limit_wc"])
        }
    }

    @Test("f: a blocked user with the right password")
    func blockedUser() async throws {
        var fixtures = Fixtures()
        fixtures.users[0].0.isBlocked = true
        try await TestServer.run(fixtures) { server in
            _ = try await Self.submit(server, "ada@example.com", User.adaPassword)
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["f"] && events.first?.userID == User.ada.id)
            #expect(events.first?.description == "user is blocked")
        }
    }

    @Test("s, ssa and fsa: a session that is there already signs in, silently or not; without one silence fails")
    func sessions() async throws {
        try await TestServer.run { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let silent = party.authorizationURL(["prompt": "none"])
            #expect(try await browser.get(silent).query("error") == "login_required")
            _ = try await party.authorize(browser)
            #expect(try await browser.get(silent).query("code") != nil)
            #expect(try await browser.get(party.authorizationURL()).query("code") != nil)
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["fsa", "s", "ssa", "s"])
            #expect(events.map(\.userName) == [nil] + Array(repeating: "ada@example.com", count: 3))
            #expect(events[0].details["error"] == "login_required")
            #expect(events[2].details["session_id"] != nil)
        }
    }

    @Test("f: an authorization request that is refused, to the client or on a page")
    func refused() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            for change in [
                ["client_id": "nobody"], ["response_type": "nonsense"], ["redirect_uri": "https://evil.test/"],
            ] {
                _ = try await server.get(party.authorizationURL(change.mapValues { $0 }))
            }
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["f", "f", "f"])
            #expect(events.map(\.clientID) == ["nobody", "regular-web-app", "regular-web-app"])
            #expect(events.map(\.clientName) == [nil, "Regular Web App", "Regular Web App"])
        }
    }

    @Test("ss and s, fs: a sign-up, and one of an address that is taken")
    func signup() async throws {
        try await TestServer.run { server in
            for email in ["new@example.com", "new@example.com"] {
                let browser = TestBrowser(server)
                let started = try await browser.get(
                    RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
                _ = try await browser.submit(started, [("email", email), ("password", "Difference-Engine-1822")])
            }
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["ss", "s", "fs"])
            #expect(events.allSatisfy { $0.userName == "new@example.com" })
            #expect(events[2].description == "The user already exists." && events[2].userID == nil)
        }
    }

    @Test("consent_given with the scopes, and f for a user who declines")
    func consent() async throws {
        try await TestServer.run(ConsentTests.asking) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let first = try await party.authorize(browser, ConsentTests.wanted)
            _ = try await browser.follow(browser.submit(first, [("action", "deny")]))
            let second = try await browser.get(party.authorizationURL(ConsentTests.wanted))
            _ = try await browser.follow(browser.submit(second, [("action", "accept")]))
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["s", "f", "consent_given", "s"])
            #expect(events[1].description == "User did not authorize the request")
            #expect(events[2].scope == "appointments read:notes" && events[2].audience == "appointments:api")
            #expect(events.allSatisfy { $0.userID == User.ada.id })
        }
    }

    @Test("slo and flo: a logout of a session, and one that may not go where it wants")
    func logout() async throws {
        try await TestServer.run(LogoutFixtures.make()) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            _ = try await party.authorize(browser)
            _ = try await browser.get("/v2/logout?client_id=regular-web-app")
            // Nobody is logged in any more, so nobody logs out.
            _ = try await browser.get("/v2/logout?client_id=regular-web-app")
            _ = try await browser.get("/v2/logout?client_id=regular-web-app&returnTo=https://evil.test/")
            _ = try await browser.get(TestServer.logoutURL(["id_token_hint": "rubbish"]))
            let token = try await browser.idToken(party)
            _ = try await browser.get(TestServer.logoutURL(["id_token_hint": token]))
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["s", "slo", "flo", "flo", "s", "seacft", "slo"])
            #expect(events[1].userID == User.ada.id && events[1].clientID == "regular-web-app")
            #expect(events[6].userID == User.ada.id && events[6].clientID == "regular-web-app")
        }
    }

    @Test("oidc_backchannel_logout_succeeded and _failed: what came of each logout token")
    func backchannel() async throws {
        let web = SimulatedWeb()
        web.put("", at: LogoutFixtures.backchannel)
        try await TestServer.run(LogoutFixtures.telling(), outbound: web) { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            _ = try await browser.get(TestServer.logoutURL(["id_token_hint": token]))
            _ = try await BackchannelLogout(services: server.services).deliverDue()
            let events = try await server.logEvents()
            let last = try #require(events.last)
            #expect(last.type == "oidc_backchannel_logout_succeeded" && last.clientID == "regular-web-app")
            #expect(last.userID == User.ada.id && last.details["uri"]?.string == LogoutFixtures.backchannel)
            #expect(last.details["request_id"] == nil)
        }
        try await TestServer.run(LogoutFixtures.telling(), outbound: SimulatedWeb()) { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            _ = try await browser.get(TestServer.logoutURL(["id_token_hint": token]))
            _ = try await BackchannelLogout(services: server.services).deliverDue()
            let last = try await server.logEvents().last
            #expect(last?.type == "oidc_backchannel_logout_failed" && last?.details["attempt"] == 1)
        }
    }

    @Test("What others write into an event is cut to a length, and control characters are escaped")
    func hostileTexts() async throws {
        try await TestServer.run { server in
            let agent = "Mozilla/5.0 (iPhone) " + String(repeating: "x", count: 5000)
            _ = try await server.get(
                "/authorize?client_id=" + "a%0D%0Ab%1B[31m\u{202E}".formEncoded.replacing("%25", with: "%")
                    + String(repeating: "y", count: 4000), headers: [.userAgent: agent])
            let event = try #require(try await server.logEvents().first)
            #expect(event.clientID?.hasPrefix("a\\u{d}\\u{a}b\\u{1b}[31m\\u{202e}") == true)
            #expect(event.clientID?.count ?? 0 < 300)
            #expect(event.userAgent?.count == 1001 && event.isMobile)
        }
    }
}
