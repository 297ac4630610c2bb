import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Which connection somebody signs in with, by the domain of their address: Auth0's home realm discovery.
@Suite("Home realm discovery")
struct HomeRealmTests {
    /// The usual tenant; `stand-in` has the users of `corp.example` and no button, `elsewhere` those of `else.example` and
    /// serves another application.
    private static func fixtures(withDatabase: Bool = true) -> Fixtures {
        var fixtures = Fixtures()
        if !withDatabase { fixtures.connections = [] }
        var corporate = UpstreamLoginTests.connection("stand-in")
        corporate.options["domain_aliases"] = ["Corp.example", "corp.test"]
        corporate.other["show_as_button"] = false
        var elsewhere = UpstreamLoginTests.connection("elsewhere", clients: ["single-page-app"])
        elsewhere.options["domain_aliases"] = ["else.example"]
        fixtures.connections += [corporate, elsewhere]
        return fixtures
    }

    @Test("LC-1: an address of a connection's domain leaves for its provider, and no password is looked at or counted")
    func form() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            for (name, password) in [("kim@corp.example", ""), ("KIM@CORP.TEST", "guess"), ("ada@corp.test ", "x")] {
                let start = try await UpstreamLoginTests.depart(browser, [:])
                let departure = try await browser.submit(
                    start, [("username", name), ("password", password), ("action", "default")])
                #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
                #expect(departure.query("login_hint") == name)
            }
            // More wrong ones than any account has tries.
            for number in 1...12 {
                let start = try await UpstreamLoginTests.depart(browser, [:])
                let departure = try await browser.submit(
                    start, [("username", "kim@corp.example"), ("password", "wrong-\(number)")])
                #expect(departure.status == .found)
            }
            #expect(try await server.logTypes().allSatisfy { !["f", "fp", "fu", "limit_wc"].contains($0) })
        }
    }

    @Test("LC-1: the sign-in page takes an address without a password where some need none, and needs no script for it")
    func page() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let start = try await UpstreamLoginTests.depart(browser, [:])
            let html = try await browser.get(start.location ?? "").text
            let field = try #require(html.firstMatch(of: /<input id="password"[^>]*>/)).0
            #expect(!field.contains("required") && field.contains(#"aria-describedby="password-hint""#))
            #expect(!html.contains("corp.example") && !html.contains(#"value="stand-in""#))
            // Whoever does need one is told.
            let answer = try await browser.submit(start, [("username", "ada@example.com"), ("action", "default")])
            #expect(answer.status == .badRequest && answer.text.contains("Password is required"))
        }
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let html = try await browser.get(UpstreamLoginTests.depart(browser, [:]).location ?? "").text
            #expect(html.contains(/<input id="password"[^>]* required/))
        }
    }

    @Test("LC-1: an address of no connection's domain signs in with its password; a connection for others has no say")
    func otherDomains() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            for name in ["kim@else.example", "kim@sub.corp.example", "corp.example", "@corp.example", "kim@"] {
                let browser = TestBrowser(server)
                let start = try await UpstreamLoginTests.depart(browser, [:])
                let answer = try await browser.submit(start, [("username", name), ("password", "x-\(name)")])
                #expect(answer.status == .badRequest && answer.location == nil, "\(name)")
            }
            let browser = TestBrowser(server)
            let signedIn = try await RelyingParty.regularWebApp(server).authorize(browser)
            #expect(signedIn.query("code") != nil)
        }
    }

    @Test("login_hint with such a domain chooses the connection, any other address fills in the form")
    func hint() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["login_hint": "kim@corp.example"])
            #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
            #expect(departure.query("login_hint") == "kim@corp.example")
            let answer = try await UpstreamLoginTests.arrive(browser, departure)
            #expect(answer.query("code") != nil && answer.query("state") == "xyzABC123")
            for hint in ["kim@else.example", "kim@example.com", "kim"] {
                let page = try await UpstreamLoginTests.depart(TestBrowser(server), ["login_hint": hint])
                #expect(page.location?.hasPrefix("/u/login?state=") == true, "\(hint)")
            }
            // A named database is the only choice there is.
            let named = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["login_hint": "kim@corp.example", "connection": Connection.database.name])
            #expect(named.location?.hasPrefix("/u/login?state=") == true)
            let silent = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["login_hint": "kim@corp.example", "prompt": "none"])
            #expect(silent.query("error") == "login_required")
        }
    }

    @Test("A user who turns an account down at the account chooser is not sent to its provider by login_hint")
    func anotherAccount() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            _ = try await UpstreamLoginTests.arrive(
                browser, UpstreamLoginTests.depart(browser, ["login_hint": "kim@corp.example"]))
            let chooser = try await UpstreamLoginTests.depart(
                browser, ["login_hint": "kim@corp.example", "prompt": "select_account"])
            #expect(chooser.location?.hasPrefix("/u/select-account?state=") == true)
            let next = try await browser.follow(browser.submit(chooser, [("action", "another")]))
            #expect(next.location?.hasPrefix("/u/login?state=") == true)
        }
    }

    @Test("tenant_domain counts as a domain too; no connection's options decide for longer texts than addresses")
    func tenantDomain() async throws {
        var fixtures = Self.fixtures()
        fixtures.connections[1].options = ["tenant_domain": "Directory.example"]
        try await TestServer.run(fixtures) { server in
            let departure = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["login_hint": "kim@directory.example"])
            #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
            let long = String(repeating: "k", count: 400) + "@directory.example"
            let page = try await UpstreamLoginTests.depart(TestBrowser(server), ["login_hint": long])
            #expect(page.location?.hasPrefix("/u/login?state=") == true)
        }
    }

    @Test("An application with companies' connections only asks for the address, and says where it knows no company")
    func onlyCompanies() async throws {
        var fixtures = Self.fixtures(withDatabase: false)
        var second = UpstreamLoginTests.connection("second")
        (second.options["domain_aliases"], second.other["show_as_button"]) = (["second.example"], false)
        fixtures.connections.append(second)
        fixtures.users = []
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let start = try await UpstreamLoginTests.depart(browser, [:])
            let html = try await browser.get(start.location ?? "").text
            #expect(html.contains(#"name="username""#) && !html.contains(#"name="password""#))
            let unknown = try await browser.submit(start, [("username", "kim@else.example"), ("password", "x")])
            #expect(unknown.status == .badRequest)
            #expect(unknown.text.contains("Email does not match any enterprise directory"))
            #expect(unknown.text.contains("kim@else.example"))
            let departure = try await browser.submit(start, [("username", "kim@second.example")])
            #expect(try await UpstreamLoginTests.arrive(browser, departure).query("code") != nil)
            #expect(try await server.services.stores.users.find("stand-in|second|7") != nil)
        }
    }

    @Test("Within an organization only its own connections have domains")
    func organizations() async throws {
        let fixtures = OrganizationTenant.fixtures(.allow) { $0.connections += Self.fixtures().connections.dropFirst() }
        try await OrganizationTenant.run(fixtures) { server in
            let page = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["login_hint": "kim@corp.example", "organization": OrganizationTenant.acme])
            #expect(page.location?.hasPrefix("/u/login?state=") == true)
        }
    }

    // MARK: Nobody at all

    @Test("§1.4: an application without any connection is told so, with and without a session, and shows no empty page")
    func noConnections() async throws {
        var fixtures = PasswordGrantTests.fixtures()
        fixtures.connections[0].enabledClients = ["single-page-app"]
        fixtures.connections.append(UpstreamLoginTests.connection("stand-in", clients: []))
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            _ = try await RelyingParty.singlePageApp(server).authorize(browser)
            for browser in [TestBrowser(server), browser] {
                for changes: [String: String?] in [[:], ["prompt": "none"], ["login_hint": "a@b.example"]] {
                    let answer = try await UpstreamLoginTests.depart(browser, changes)
                    #expect(answer.location?.hasPrefix("https://app.example.com/callback?") == true)
                    #expect(answer.query("error") == "invalid_request")
                    #expect(answer.query("error_description") == "no connections enabled for the client")
                    #expect(answer.query("state") == "xyzABC123")
                }
            }
            // A connection that is named is spoken of itself.
            let named = try await UpstreamLoginTests.depart(browser, ["connection": "stand-in"])
            #expect(named.query("error_description") == "the connection is not enabled")
        }
    }

    @Test("§1.4: the password grants of such an application hear the same")
    func noConnectionsElsewhere() async throws {
        var fixtures = PasswordGrantTests.fixtures()
        fixtures.connections[0].enabledClients = []
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let realm: [String: String?] = [
                "grant_type": "http://auth0.com/oauth/grant-type/password-realm", "realm": Connection.database.name,
            ]
            for changes: [String: String?] in [[:], realm] {
                let answer = try await PasswordGrantTests.logIn(party, changes)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_request")
                #expect(try answer.json()["error_description"] == "no connections enabled for the client")
            }
        }
        // With another connection there is a way, only not this one.
        fixtures.connections.append(UpstreamLoginTests.connection("stand-in"))
        try await TestServer.run(fixtures) { server in
            let answer = try await PasswordGrantTests.logIn(.regularWebApp(server))
            #expect(try answer.json()["error_description"] == "the connection is not enabled")
        }
    }

    @Test("§1.4: a device of such an application is not connected, and its user sees no empty page")
    func noConnectionsForDevices() async throws {
        var fixtures = Fixtures.withTelevision()
        fixtures.connections[0].enabledClients.remove("television")
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.television(server)
            let (_, userCode) = try await DeviceFlowTests.begin(party)
            let answer = try await DeviceFlowTests.confirm(TestBrowser(server), userCode)
            #expect(answer.query("error_description") == "no connections enabled for the client")
        }
    }

    @Test("A login whose connections are switched off while it waits ends at the application")
    func switchedOffMeanwhile() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let start = try await UpstreamLoginTests.depart(browser, [:])
            try await server.services.stores.database.write { transaction in
                for var connection in Self.fixtures().connections {
                    connection.enabledClients = []
                    try ConnectionStore.save(connection, in: transaction)
                }
            }
            try await server.services.configuration.refresh()
            let answer = try await browser.get(start.location ?? "")
            #expect(answer.query("error_description") == "no connections enabled for the client")
        }
    }
}
