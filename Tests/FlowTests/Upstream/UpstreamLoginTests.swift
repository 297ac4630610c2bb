import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// What the server does around a provider, whichever that is: the stand-in takes everybody's word.
@Suite("Upstream logins")
struct UpstreamLoginTests {
    static func connection(_ name: String, clients: Set<String> = ["regular-web-app"]) -> Connection {
        var connection = Connection(id: "con_\(name)00000000", name: name, strategy: "stand-in")
        connection.enabledClients = clients
        return connection
    }

    /// The usual tenant with connections beside its database.
    static func fixtures(_ names: String..., withDatabase: Bool = true) -> Fixtures {
        var fixtures = Fixtures()
        if !withDatabase { fixtures.connections = [] }
        fixtures.connections += names.map { connection($0) }
        return fixtures
    }

    /// Sets out for a provider; the answer's query has the `state` to come back with.
    static func depart(
        _ browser: TestBrowser, _ changes: [String: String?] = ["connection": "stand-in"]
    ) async throws -> TestResponse {
        try await browser.get(RelyingParty.regularWebApp(browser.server).authorizationURL(changes))
    }

    /// Comes back from a provider, and goes on as far as our own pages lead.
    static func arrive(
        _ browser: TestBrowser, _ departure: TestResponse, _ query: String = "user=7"
    ) async throws -> TestResponse {
        try await browser.follow(browser.get("/login/callback?state=\(departure.query("state") ?? "")&\(query)"))
    }

    /// The claims of the ID token that a user of the provider ends up with.
    static func claims(
        _ browser: TestBrowser, _ query: String, _ changes: [String: String?] = ["connection": "stand-in"]
    ) async throws -> JSONObject {
        let code = try await arrive(browser, depart(browser, changes), query).query("code") ?? ""
        return try await RelyingParty.regularWebApp(browser.server).redeem(code).json()["id_token"]?.string?.claims
            ?? [:]
    }

    @Test("Auth0: connection=NAME goes straight to the provider, and comes back with a user called NAME|ID")
    func straight() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let departure = try await Self.depart(browser)
            #expect(departure.status == .found)
            #expect(departure.location?.hasPrefix("https://provider.example.com/authorize?state=") == true)
            #expect(departure.query("redirect_uri") == "https://login.example.com/login/callback")
            let answer = try await Self.arrive(
                browser, departure, "user=7&email=Ada@Example.com&email_verified=true&name=Ada")
            #expect(answer.location?.hasPrefix("https://app.example.com/callback?code=") == true)
            #expect(answer.query("state") == "xyzABC123")
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == "stand-in|7")
            #expect(claims["email"] == "ada@example.com")
            #expect(claims["email_verified"] == true)
            #expect(claims["name"] == "Ada")
            #expect(claims["nickname"] == "ada")
        }
    }

    @Test("A second login is the same user, brought to what the provider says now")
    func again() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            _ = try await Self.claims(TestBrowser(server), "user=7&email=a@example.com&name=Old")
            let claims = try await Self.claims(TestBrowser(server), "user=7&email=b@example.com&name=New")
            #expect(claims["email"] == "b@example.com")
            #expect(claims["name"] == "New")
            let user = try #require(try await server.services.stores.users.find("stand-in|7"))
            #expect(user.loginsCount == 2)
        }
    }

    @Test("Auth0: set_user_root_attributes=on_first_login leaves the profile of later logins alone")
    func firstLoginOnly() async throws {
        var fixtures = Self.fixtures("stand-in")
        fixtures.connections[1].options["set_user_root_attributes"] = "on_first_login"
        try await TestServer.run(fixtures) { server in
            _ = try await Self.claims(TestBrowser(server), "user=7&name=Old")
            #expect(try await Self.claims(TestBrowser(server), "user=7&name=New")["name"] == "Old")
        }
    }

    @Test("Two connections of one social strategy have users of their own, even with equal ids")
    func connectionsOfOneStrategy() async throws {
        try await TestServer.run(Self.fixtures("stand-in", "second")) { server in
            #expect(try await Self.claims(TestBrowser(server), "user=7")["sub"] == "stand-in|7")
            let second = try await Self.claims(TestBrowser(server), "user=7", ["connection": "second"])
            #expect(second["sub"] == "stand-in|second|7")
        }
    }

    @Test("security.md 25: an answer is good once")
    func replay() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let departure = try await Self.depart(browser)
            #expect(try await Self.arrive(browser, departure).query("code") != nil)
            let second = try await Self.arrive(browser, departure)
            #expect(second.status == .badRequest)
            #expect(second.location == nil)
        }
    }

    @Test("security.md 27: another browser cannot use an answer, and its owner still can (login CSRF)")
    func otherBrowser() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let (attacker, victim) = (TestBrowser(server), TestBrowser(server))
            let departure = try await Self.depart(attacker)
            _ = try await Self.depart(victim)
            let forced = try await Self.arrive(victim, departure, "user=attacker")
            #expect(forced.status == .badRequest)
            #expect(victim.cookies["auth0"] == nil)
            let bare = try await Self.arrive(TestBrowser(server), departure, "user=attacker")
            #expect(bare.status == .badRequest)
            #expect(try await Self.arrive(attacker, departure).query("code") != nil)
        }
    }

    @Test("security.md 26: an answer that names another connection than it was asked of is refused (mix-up)")
    func mixUp() async throws {
        try await TestServer.run(Self.fixtures("stand-in", "second")) { server in
            let browser = TestBrowser(server)
            let answer = try await Self.arrive(browser, Self.depart(browser), "user=7&connection=second")
            #expect(answer.query("error") == "access_denied")
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("An answer is worth nothing once half an hour has passed")
    func expiry() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let departure = try await Self.depart(browser)
            server.clock.advance(by: 1801)
            #expect(try await Self.arrive(browser, departure).status == .badRequest)
        }
    }

    @Test("A made-up state, or none, opens nothing")
    func unknownState() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            _ = try await Self.depart(browser)
            #expect(try await browser.get("/login/callback?state=made-up&user=7").status == .badRequest)
            #expect(try await browser.get("/login/callback?user=7").status == .badRequest)
        }
    }

    @Test("Auth0: the provider's refusal reaches the application as access_denied, in the provider's words")
    func refusal() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let answer = try await Self.arrive(
                browser, Self.depart(browser), "error=access_denied&error_description=The+user+went+back%22%3E")
            #expect(answer.location?.hasPrefix("https://app.example.com/callback?") == true)
            #expect(answer.query("error") == "access_denied")
            #expect(answer.query("error_description") == "The user went back >")
            #expect(answer.query("state") == "xyzABC123")
            let broken = try await Self.arrive(browser, Self.depart(browser), "error=invalid_scope")
            #expect(broken.query("error") == "server_error")
        }
    }

    @Test("Auth0: connections that are unknown or not enabled are refused by name")
    func unknownConnections() async throws {
        var fixtures = Self.fixtures("stand-in")
        fixtures.connections.append(Self.connection("elsewhere", clients: ["single-page-app"]))
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let unknown = try await Self.depart(browser, ["connection": "nowhere"])
            #expect(unknown.query("error") == "invalid_request")
            #expect(unknown.query("error_description") == "the connection was not found")
            let disabled = try await Self.depart(browser, ["connection": "elsewhere"])
            #expect(disabled.query("error_description") == "the connection is not enabled")
        }
    }

    @Test("Without a connection the sign-in page lists all of them, and each button leads to its provider")
    func signInPage() async throws {
        var fixtures = Self.fixtures("stand-in", "second")
        fixtures.connections[2].displayName = "Ada's <Company>"
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let start = try await Self.depart(browser, [:])
            let page = start.location ?? ""
            #expect(page.hasPrefix("/u/login?state="))
            let html = try await browser.get(page).text
            #expect(html.contains(#"name="username""#))
            #expect(html.contains(#"name="connection" value="stand-in""#))
            #expect(
                html.contains("Continue with Ada&#39;s &lt;Company&gt;") || html.contains("Ada&#x27;s &lt;Company&gt;"))
            let departure = try await browser.submit(start, [("connection", "second")])
            #expect(departure.location?.hasPrefix("https://provider.example.com/authorize?state=") == true)
            let answer = try await Self.arrive(browser, departure)
            #expect(answer.query("code") != nil)
        }
    }

    @Test("A button without the page's own token, or for a connection that is not offered, leads nowhere")
    func forgedButton() async throws {
        var fixtures = Self.fixtures("stand-in")
        fixtures.connections.append(Self.connection("elsewhere", clients: ["single-page-app"]))
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let start = try await Self.depart(browser, [:])
            let forged = try await browser.post(start.location ?? "", [("connection", "stand-in")])
            #expect(forged.status == .forbidden)
            let foreign = try await browser.submit(start, [("connection", "elsewhere")])
            #expect(foreign.status == .badRequest)
        }
    }

    @Test("Auth0: an application with one upstream connection and nothing else goes straight there")
    func onlyOne() async throws {
        try await TestServer.run(Self.fixtures("stand-in", withDatabase: false)) { server in
            let departure = try await Self.depart(TestBrowser(server), [:])
            #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
        }
        try await TestServer.run(Self.fixtures("stand-in", "second", withDatabase: false)) { server in
            let browser = TestBrowser(server)
            let start = try await Self.depart(browser, [:])
            let html = try await browser.get(start.location ?? "").text
            #expect(!html.contains(#"name="password""#))
            #expect(html.contains(#"value="second""#))
        }
    }

    @Test("An address of a domain that a connection is for leads to its provider, and goes along")
    func domains() async throws {
        var fixtures = Self.fixtures("stand-in")
        fixtures.connections[1].options["domain_aliases"] = ["example.org"]
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let start = try await Self.depart(browser, [:])
            let departure = try await browser.submit(start, [("username", "kim@Example.org"), ("password", "")])
            #expect(departure.query("login_hint") == "kim@Example.org")
        }
    }

    @Test("Auth0: another connection's session is not reused; its own is, and silently")
    func sessions() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let (browser, party) = (TestBrowser(server), RelyingParty.regularWebApp(server))
            _ = try await party.authorize(browser)
            let silent = try await Self.depart(browser, ["connection": "stand-in", "prompt": "none"])
            #expect(silent.query("error") == "login_required")
            let answer = try await Self.arrive(browser, Self.depart(browser))
            #expect(answer.query("code") != nil)
            let again = try await Self.depart(browser, ["connection": "stand-in", "prompt": "none"])
            #expect(again.query("code") != nil)
            let any = try await Self.depart(browser, ["prompt": "none"])
            #expect(any.query("code") != nil)
        }
    }

    @Test("OpenID Connect Core §3.1.2.1: prompt=login and max_age=0 ask the provider again")
    func freshness() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            _ = try await Self.arrive(browser, Self.depart(browser))
            for changes: [String: String?] in [["prompt": "login"], ["max_age": "0"]] {
                let departure = try await Self.depart(browser, changes.merging(["connection": "stand-in"]) { $1 })
                #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
                #expect(try await Self.arrive(browser, departure).query("code") != nil)
            }
        }
    }

    @Test("Somebody who is blocked gets nowhere, whatever their provider says")
    func blocked() async throws {
        try await TestServer.run(Self.fixtures("stand-in")) { server in
            _ = try await Self.claims(TestBrowser(server), "user=7")
            try await server.services.stores.database.write {
                try UserStore.setBlocked(true, "stand-in|7", in: $0)
            }
            let browser = TestBrowser(server)
            let answer = try await Self.arrive(browser, Self.depart(browser))
            #expect(answer.query("error_description") == "user is blocked")
            #expect(browser.cookies["auth0"] == nil)
        }
    }
}
