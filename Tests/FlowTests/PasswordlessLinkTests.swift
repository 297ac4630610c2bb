import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Signing in with a link that is sent to an address")
struct PasswordlessLinkTests {
    private typealias Codes = PasswordlessTests
    private static let address = "new@example.com"

    /// A tenant whose sign-in page sends links.
    private static func fixtures(_ options: JSONObject = [:]) -> Fixtures {
        Codes.fixtures(options.merging(["portico_send": "link"]) { $1 })
    }

    /// Has a link sent from the sign-in page.
    private static func ask(_ browser: TestBrowser, _ address: String = address) async throws -> TestResponse {
        let path = try await Codes.page(browser)
        return try await Codes.ask(browser, path, [("address", address), ("action", "send")])
    }

    private static func claims(_ answer: TestResponse, _ server: TestServer) async throws -> JSONObject {
        let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
        return tokens["id_token"]?.string?.claims ?? [:]
    }

    @Test("A link of the sign-in page goes on with the login in the browser that asked for it, once")
    func page() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let asked = try await Self.ask(browser, " New@Example.com")
            #expect(asked.status == .ok && asked.text.contains("Open it in this browser"))
            #expect(!asked.text.contains("one-time-code"))
            let letter = try #require(try await server.mails(to: Self.address).first)
            #expect(letter.content.subject == "Sign in to Regular Web App")
            #expect(letter.content.html.contains("href=\"\(letter.links[0])\""))
            let path = try await server.mailedPath(to: Self.address)
            #expect(path.hasPrefix("/passwordless/verify_redirect?ticket="))
            let answer = try await browser.follow(browser.get(path))
            #expect(answer.location?.hasPrefix(Client.callback) == true && answer.query("state") == "xyzABC123")
            let claims = try await Self.claims(answer, server)
            #expect(claims["email"] == .string(Self.address) && claims["email_verified"] == true)
            #expect(claims["sub"]?.string?.hasPrefix("email|") == true)
            let again = try await browser.get(path)
            #expect(again.status == .badRequest && again.text.contains("not good any more"))
            #expect(try await server.logTypes() == ["cls", "ss", "s", "seacft"])
        }
    }

    @Test("Security 27: in another browser a link signs nobody in, and mail scanners use nothing up")
    func otherBrowsers() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let (browser, victim) = (TestBrowser(server), TestBrowser(server))
            _ = try await Self.ask(browser)
            // The victim has a login of their own under way.
            _ = try await Codes.page(victim)
            let path = try await server.mailedPath(to: Self.address)
            #expect(try await server.client.execute(uri: path, method: .head).status == .ok)
            let ticket = String(path.drop { $0 != "=" }.dropFirst())
            for answer in [
                try await server.get(path), try await victim.get(path),
                try await victim.post("/passwordless/verify_redirect", [("ticket", ticket)]),
            ] {
                #expect(answer.status == .badRequest && answer.text.contains("same device"))
                #expect(!answer.text.contains(Self.address))
            }
            #expect(victim.cookies["auth0"] == nil)
            #expect(try await browser.client(head: path).status == .ok)
            #expect(browser.cookies["auth0"] == nil)
            #expect(try await browser.follow(browser.get(path)).query("code") != nil)
        }
    }

    @Test("What stands beside the ticket in a link changes nothing")
    func changedParameters() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            _ = try await Self.ask(browser)
            let path = try await server.mailedPath(to: Self.address)
            let changed =
                path + "&redirect_uri=https%3A%2F%2Fevil.example%2F&email=ada%40example.com"
                + "&state=evil&client_id=machine"
            let answer = try await browser.follow(browser.get(changed))
            #expect(answer.location?.hasPrefix(Client.callback) == true && answer.query("state") == "xyzABC123")
            #expect(try await Self.claims(answer, server)["email"] == .string(Self.address))
            #expect(try await browser.get("/passwordless/verify_redirect?ticket=evil").status == .badRequest)
        }
    }

    @Test("The newest link alone is good, for as long as the connection's codes")
    func newestAndLast() async throws {
        try await TestServer.run(Self.fixtures(["totp": ["time_step": 300]])) { server in
            let browser = TestBrowser(server)
            let page = try await Codes.page(browser)
            var paths: [String] = []
            for _ in 0..<2 {
                _ = try await Codes.ask(browser, page, [("address", Self.address), ("action", "send")])
                paths.append(try await server.mailedPath(to: Self.address))
                server.clock.advance(by: 1)
            }
            #expect(try await browser.get(paths[0]).status == .badRequest)
            server.clock.advance(by: 299)
            #expect(try await browser.get(paths[1]).text.contains("not good any more"))
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("Wrong codes keep nobody from their link, and the page that sends links takes no codes")
    func wrongCodes() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let page = try await Codes.page(browser)
            _ = try await Codes.ask(browser, page, [("address", Self.address), ("action", "send")])
            for _ in 0..<12 {
                let answer = try await Codes.verify(browser, page, "000000", address: Self.address)
                #expect(answer.status == .badRequest)
            }
            #expect(try await Codes.redeem(server, "000000").json()["error"] == "invalid_grant")
            for _ in 0..<12 { _ = try await Codes.redeem(server, "000000") }
            #expect(try await Codes.redeem(server, "000000").json()["error"] == "too_many_attempts")
            let path = try await server.mailedPath(to: Self.address)
            #expect(try await browser.follow(browser.get(path)).query("code") != nil)
        }
    }

    @Test("Of those who open a link at the same time one signs in")
    func race() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            _ = try await Self.ask(browser)
            let path = try await server.mailedPath(to: Self.address)
            let signedIn = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { try await browser.get(path).status == .found } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(signedIn == 1)
        }
    }

    @Test("A link goes through the steps of every login: consent is asked, and whoever is blocked gets no further")
    func steps() async throws {
        var fixtures = Self.fixtures()
        fixtures.changeAPI { $0.skipsConsentForVerifiableFirstPartyClients = false }
        try await TestServer.run(fixtures) { server in
            let wanted = ConsentTests.wanted.merging(["connection": "email"]) { $1 }
            func open() async throws -> (TestBrowser, TestResponse) {
                let browser = TestBrowser(server)
                let departure = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(wanted))
                let page = try await browser.get(departure.location ?? "").location ?? ""
                _ = try await Codes.ask(browser, page, [("address", Self.address), ("action", "send")])
                let path = try await server.mailedPath(to: Self.address)
                server.clock.advance(by: 1)
                return (browser, try await browser.follow(browser.get(path)))
            }
            let (browser, asked) = try await open()
            #expect(asked.location?.hasPrefix("/u/consent?state=") == true)
            #expect(try await browser.follow(browser.submit(asked, [("action", "accept")])).query("code") != nil)

            let other = TestBrowser(server)
            _ = try await Self.ask(other)
            let path = try await server.mailedPath(to: Self.address)
            try await server.services.stores.database.write { transaction in
                var user = try #require(
                    try UserStore.account(connection: "email", identifier: Self.address, in: transaction))
                user.isBlocked = true
                try UserStore.replace(user, in: transaction)
            }
            let refused = try await other.get(path)
            #expect(refused.query("error") == "unauthorized" && other.cookies["auth0"] == nil)
        }
    }

    @Test("ORG-6: a link for an organization lets its members in, and nobody else")
    func organization() async throws {
        var fixtures = Self.fixtures()
        fixtures.change("regular-web-app") {
            $0.organizations = ClientOrganizationSettings(usage: .allow, requireBehavior: nil)
        }
        try await TestServer.run(fixtures) { server in
            let (acme, database) = (OrganizationTenant.acme, server.services.stores.database)
            try await OrganizationTenant.add(
                Organization(id: acme, name: "acme"), connection: nil, members: [], to: server)
            try await database.write { transaction in
                let connection = try OrganizationConnection(
                    document: Document([:], path: ""), connectionID: "con_passwordless0000")
                try OrganizationStore.save(connection, of: acme, in: transaction)
            }
            func open() async throws -> TestResponse {
                let browser = TestBrowser(server)
                let wanted: [String: String?] = ["connection": "email", "organization": acme]
                let departure = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(wanted))
                let page = try await browser.get(departure.location ?? "").location ?? ""
                _ = try await Codes.ask(browser, page, [("address", Self.address), ("action", "send")])
                let path = try await server.mailedPath(to: Self.address)
                server.clock.advance(by: 1)
                return try await browser.follow(browser.get(path))
            }
            let refused = try await open()
            #expect(refused.query("code") == nil && refused.query("error") == "access_denied")
            try await database.write { transaction in
                let user = try #require(
                    try UserStore.account(connection: "email", identifier: Self.address, in: transaction))
                try OrganizationStore.addMember(user.id, to: acme, in: transaction)
            }
            #expect(try await Self.claims(open(), server)["org_id"] == .string(acme))
        }
    }

    @Test("The database has neither the ticket of a link nor whose it is, and the server's host is the issuer's")
    func atRest() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            _ = try await Self.ask(TestBrowser(server))
            let letter = try #require(try await server.mails(to: Self.address).first)
            #expect(letter.links.allSatisfy { $0.hasPrefix(TestServer.issuer) } && !letter.links.isEmpty)
            let ticket = try await server.mailedPath(to: Self.address).drop { $0 != "=" }.dropFirst()
            let rows = try await server.services.stores.database.read {
                try $0.rows("SELECT * FROM passwordless_code").map { row in
                    try [row.text("subject_digest"), row.text("code_digest"), row.text("sealed_link")].joined()
                }
            }
            #expect(rows.count == 1)
            for text in [String(ticket), Self.address, "state"] {
                #expect(!rows.joined().contains(text))
            }
        }
    }
}

extension TestBrowser {
    /// Asks whether something is there, with the cookies so far.
    fileprivate func client(head path: String) async throws -> TestResponse {
        let cookies = cookies.map { "\($0)=\($1)" }.joined(separator: "; ")
        return try await server.client.execute(uri: path, method: .head, headers: [.cookie: cookies])
    }
}
