import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Links that an application asks for (/passwordless/start)")
struct PasswordlessRequestTests {
    private typealias Codes = PasswordlessTests
    private static let address = "new@example.com"
    private static let path = "/passwordless/verify_redirect"
    private static let wanted: JSONObject = [
        "response_type": "code", "redirect_uri": .string(Client.callback), "scope": "openid email",
        "state": "the state", "nonce": "the nonce",
    ]

    /// A tenant that allows such links.
    private static func fixtures(_ isAllowed: Bool = true) -> Fixtures {
        var fixtures = Codes.fixtures()
        fixtures.settings.other["universal_login"] = [
            "passwordless": ["allow_magiclink_verify_without_session": .bool(isAllowed)]
        ]
        return fixtures
    }

    private static func start(
        _ server: TestServer, _ changes: JSONObject = [:], authParams: JSONValue = .object(wanted),
        headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var body: JSONObject = [
            "client_id": "regular-web-app", "client_secret": .string(Client.regularWebAppSecret),
            "connection": "email", "email": .string(address), "send": "link", "authParams": authParams,
        ]
        body.merge(changes) { $1 }
        return try await server.post("/passwordless/start", json: JSON.text(body), headers: headers)
    }

    /// Presses the button of a link's page.
    private static func confirm(_ path: String, _ browser: TestBrowser) async throws -> TestResponse {
        let fields = TestBrowser.hiddenFields(try await browser.get(path).text)
        return try await browser.follow(browser.post(Self.path, fields))
    }

    @Test("Auth0: a link goes on with the request in authParams in any browser, once its page's button is pressed")
    func walk() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let answer = try await Self.start(server, ["send": .null])
            #expect(answer.status == .ok, "\(answer.text)")
            #expect(try answer.json()["email"] == .string(Self.address))
            let (path, browser) = (try await server.mailedPath(to: Self.address), TestBrowser(server))
            let page = try await browser.get(path)
            #expect(page.status == .ok && page.text.contains(Self.address))
            #expect(page.text.contains("Log in to Regular Web App") && browser.cookies["auth0"] == nil)
            let done = try await Self.confirm(path, browser)
            #expect(done.location?.hasPrefix(Client.callback) == true && done.query("state") == "the state")
            let tokens = try await RelyingParty.regularWebApp(server).redeem(done.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["nonce"] == "the nonce" && claims["email"] == .string(Self.address))
            #expect(try await browser.get(path).text.contains("not good any more"))
            // The session is the browser's.
            let silent = try await browser.get(
                RelyingParty.regularWebApp(server).authorizationURL(["prompt": "none", "connection": "email"]))
            #expect(silent.query("code") != nil)
        }
    }

    @Test("Mail scanners use nothing up, and no page of somebody else's presses the button (login CSRF)")
    func scannersAndForgery() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            _ = try await Self.start(server)
            let path = try await server.mailedPath(to: Self.address)
            let (browser, other) = (TestBrowser(server), TestBrowser(server))
            let ticket = String(path.drop { $0 != "=" }.dropFirst())
            for _ in 0..<2 { #expect(try await server.get(path).status == .ok) }
            let foreign = TestBrowser.hiddenFields(try await other.get(path).text)
            _ = try await browser.get(path)
            for form in [[("ticket", ticket)], foreign] {
                let forged = try await browser.post(Self.path, form)
                #expect(forged.status == .forbidden && forged.text.contains("out of date"))
            }
            #expect(browser.cookies["auth0"] == nil)
            #expect(try await Self.confirm(path, browser).query("code") != nil)
        }
    }

    @Test("Auth0: unless the tenant allows it such a link is good nowhere, so none is sent, and none is good any more")
    func notAllowed() async throws {
        try await TestServer.run(Self.fixtures(false)) { server in
            let refused = try await Self.start(server)
            #expect(refused.status == .badRequest && refused.text.contains("allow_magiclink_verify_without_session"))
            #expect(try await server.mails().isEmpty)
        }
        try await TestServer.run(Self.fixtures()) { server in
            _ = try await Self.start(server)
            let path = try await server.mailedPath(to: Self.address)
            var settings = try await server.services.configuration.settings()
            settings.other["universal_login"] = nil
            let closed = settings
            let browser = TestBrowser(server)
            let fields = TestBrowser.hiddenFields(try await browser.get(path).text)
            try await server.services.stores.database.write { try TenantStore.update(closed, in: $0) }
            try await server.services.configuration.refresh()
            #expect(try await browser.get(path).text.contains("same device"))
            #expect(try await browser.post(Self.path, fields).status == .badRequest)
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("The tenant's setting is off unless it is true, and neither true nor false is refused")
    func setting() throws {
        func settings(_ value: JSONValue?) throws -> TenantSettings {
            var passwordless: JSONObject = [:]
            passwordless["allow_magiclink_verify_without_session"] = value
            return try TenantSettings(
                document: Document(["universal_login": ["passwordless": .object(passwordless)]], path: "tenant"))
        }
        #expect(try settings(true).allowsMagicLinksAnywhere)
        for value: JSONValue? in [false, .null, nil] { #expect(try !settings(value).allowsMagicLinksAnywhere) }
        #expect(throws: Document.Problem.self) { try settings("true") }
    }

    @Test(
        "authParams are an authorization request that would be answered, or nothing is sent",
        arguments: [
            ["redirect_uri": "https://evil.example/callback"], ["redirect_uri": "https://app.example.com/callback/x"],
            ["response_type": nil], ["response_type": "token"], ["audience": "unknown:api"], ["prompt": "none"],
            ["client_id": "single-page-app"], ["connection": "Username-Password-Authentication"],
            ["organization": "org_unknown"], ["response_mode": "web_message"], ["request": "no.signed.object"],
            ["scope": ["openid"]],
        ] as [[String: JSONValue?]])
    func checked(changes: [String: JSONValue?]) async throws {
        try await TestServer.run(Self.fixtures()) { server in
            var wanted = Self.wanted
            for (name, value) in changes { wanted[name] = value }
            let answer = try await Self.start(server, authParams: .object(wanted))
            #expect(answer.status.code >= 400 && answer.status.code < 500, "\(answer.status) \(answer.text)")
            #expect(try await server.mails().isEmpty)
        }
    }

    @Test("Links are for mail, authParams an object, and forms write it as Auth0's do")
    func forms() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            #expect(try await Self.start(server, authParams: "scope=openid").status == .badRequest)
            #expect(try await Self.start(server, ["send": "link_ios"]).status == .badRequest)
            let answer = try await Codes.start(
                server,
                [
                    "send": "link", "authParams[response_type]": "code", "authParams[redirect_uri]": Client.callback,
                    "authParams[state]": "of a form",
                ])
            #expect(answer.status == .ok, "\(answer.text)")
            let path = try await server.mailedPath(to: Self.address)
            #expect(try await Self.confirm(path, TestBrowser(server)).query("state") == "of a form")
        }
    }

    @Test("Auth0: what authParams leave out is taken from the connection's own, and nothing else is")
    func connectionParameters() async throws {
        var fixtures = Self.fixtures()
        fixtures.connections[1].options["authParams"] = [
            "scope": "openid email", "redirect_uri": "https://app.example.com/other?tenant=1", "state": "connection's",
        ]
        try await TestServer.run(fixtures) { server in
            let wanted: JSONObject = ["response_type": "code", "state": "mine"]
            #expect(try await Self.start(server, authParams: .object(wanted)).status == .ok)
            let done = try await Self.confirm(server.mailedPath(to: Self.address), TestBrowser(server))
            #expect(done.location?.hasPrefix("https://app.example.com/other?tenant=1&") == true)
            #expect(done.query("state") == "mine" && done.query("code") != nil)
        }
    }

    @Test("A request whose callback was taken away meanwhile is not answered, and its link not used up")
    func changedClient() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            _ = try await Self.start(server)
            let (path, browser) = (try await server.mailedPath(to: Self.address), TestBrowser(server))
            let fields = TestBrowser.hiddenFields(try await browser.get(path).text)
            func set(_ callbacks: [String]) async throws {
                let row = try #require(try await server.services.configuration.client("regular-web-app"))
                var client = row.client
                client.callbacks = try callbacks.map { try RegisteredURI($0) }
                let changed = client
                try await server.services.stores.database.write { transaction in
                    try ClientStore.save(
                        changed, secretDigest: Secret(Client.regularWebAppSecret).digest, sealedSecret: nil,
                        at: server.clock.now, in: transaction)
                    try TenantStore.configurationChanged(in: transaction)
                }
                try await server.services.configuration.refresh()
            }
            try await set(["https://app.example.com/new"])
            let refused = try await browser.post(Self.path, fields)
            #expect(refused.location == nil && browser.cookies["auth0"] == nil)
            try await set([Client.callback])
            #expect(try await Self.confirm(path, browser).query("code") != nil)
        }
    }

    @Test("ZITADEL CVE-2025-64101: the link is built from the issuer, whatever host the request names")
    func hostileHost() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            var headers: HTTPFields = [:]
            for (name, value) in [
                ("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example"), ("X-Host", "evil.example"),
            ] {
                headers[try #require(HTTPField.Name(name))] = value
            }
            _ = try await Self.start(server, headers: headers)
            let letter = try #require(try await server.mails(to: Self.address).first)
            #expect(letter.links.allSatisfy { $0.hasPrefix(TestServer.issuer) } && !letter.links.isEmpty)
            #expect(!letter.content.html.contains("evil.example"))
        }
    }
}
