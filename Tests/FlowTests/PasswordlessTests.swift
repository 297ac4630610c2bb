import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Signing in with a code that is sent to an address")
struct PasswordlessTests {
    private static let grant = "http://auth0.com/oauth/grant-type/passwordless/otp"

    static func fixtures(_ options: JSONObject = [:], strategy: String = "email") -> Fixtures {
        var fixtures = Fixtures()
        var connection = Connection(id: "con_passwordless0000", name: strategy, strategy: strategy)
        (connection.enabledClients, connection.options) = (["regular-web-app"], options)
        fixtures.connections.append(connection)
        for index in fixtures.clients.indices where fixtures.clients[index].client.clientID == "regular-web-app" {
            fixtures.clients[index].client.grantTypes.insert(.passwordlessOTP)
        }
        return fixtures
    }

    static let sms: JSONObject = ["twilio_sid": "AC123", "from": "+15005550006"]

    /// The code of the newest mail to somebody.
    static func code(_ server: TestServer, to address: String) async throws -> String {
        let letter = try #require(try await server.mails(to: address).first)
        // So that the next one is newer.
        server.clock.advance(by: 1)
        return String(try #require(letter.content.text.firstMatch(of: /\b[0-9]{6}\b/)).output)
    }

    private static func wrong(_ code: String) -> String { code == "000000" ? "000001" : "000000" }

    // MARK: The page

    static func page(_ browser: TestBrowser) async throws -> String {
        let departure = try await browser.get(
            RelyingParty.regularWebApp(browser.server).authorizationURL(["connection": "email"]))
        let page = try await browser.get(departure.location ?? "")
        #expect(page.status == .found)
        return page.location ?? ""
    }

    static func ask(
        _ browser: TestBrowser, _ path: String, _ fields: [(String, String)]
    ) async throws -> TestResponse {
        let html = try await browser.get(path).text
        return try await browser.post(path, Array(TestBrowser.hiddenFields(html).prefix(2)) + fields)
    }

    static func verify(
        _ browser: TestBrowser, _ path: String, _ code: String, address: String = "new@example.com"
    ) async throws -> TestResponse {
        try await browser.follow(ask(browser, path, [("address", address), ("code", code), ("action", "verify")]))
    }

    @Test(
        "connection=email asks for the address, then for the code, and makes a user email|… whose address is verified")
    func hostedPage() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let path = try await Self.page(browser)
            let asked = try await Self.ask(browser, path, [("address", " New@Example.com"), ("action", "send")])
            #expect(asked.status == .ok && asked.text.contains("one-time-code"))
            let code = try await Self.code(server, to: "new@example.com")
            let answer = try await Self.verify(browser, path, code)
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            let subject = claims["sub"]?.string ?? ""
            #expect(subject.hasPrefix("email|") && subject.count == 30)
            #expect(claims["email"] == "new@example.com" && claims["email_verified"] == true)
            // The second time it is the same user.
            let other = TestBrowser(server)
            let again = try await Self.page(other)
            _ = try await Self.ask(other, again, [("address", "new@example.com"), ("action", "send")])
            let second = try await Self.verify(other, again, Self.code(server, to: "new@example.com"))
            let more = try await RelyingParty.regularWebApp(server).redeem(second.query("code") ?? "").json()
            #expect(more["id_token"]?.string?.claims["sub"]?.string == subject)
        }
    }

    @Test("A code is good on the page that asked for it alone, and once")
    func bound() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let (browser, thief) = (TestBrowser(server), TestBrowser(server))
            let (path, thiefs) = (try await Self.page(browser), try await Self.page(thief))
            _ = try await Self.ask(browser, path, [("address", "new@example.com"), ("action", "send")])
            let code = try await Self.code(server, to: "new@example.com")
            #expect(try await Self.verify(thief, thiefs, code).status == .badRequest)
            #expect(try await Self.verify(browser, path, code, address: "ada@example.com").status == .badRequest)
            #expect(try await Self.verify(browser, path, code).query("code") != nil)
            #expect(try await Self.verify(browser, path, code).query("code") == nil)
        }
    }

    @Test("Three wrong codes make the right one void; one that has expired is wrong")
    func tries() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let path = try await Self.page(browser)
            for isVoid in [false, true] {
                _ = try await Self.ask(browser, path, [("address", "new@example.com"), ("action", "send")])
                let code = try await Self.code(server, to: "new@example.com")
                for _ in 0..<(isVoid ? 3 : 0) {
                    #expect(try await Self.verify(browser, path, Self.wrong(code)).status == .badRequest)
                }
                if !isVoid { server.clock.advance(by: 181) }
                #expect(try await Self.verify(browser, path, code).status == .badRequest)
            }
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("A form that was not this page's sends nothing (CSRF)")
    func forgery() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let browser = TestBrowser(server)
            let path = try await Self.page(browser)
            let answer = try await browser.post(path, [("address", "new@example.com"), ("action", "send")])
            #expect(answer.status == .forbidden)
            #expect(try await server.mails(to: "new@example.com").isEmpty)
        }
    }

    @Test("Where strangers may not sign up they are told what users are told, and sent nothing")
    func closed() async throws {
        try await TestServer.run(Self.fixtures(["disable_signup": true])) { server in
            let browser = TestBrowser(server)
            let path = try await Self.page(browser)
            let asked = try await Self.ask(browser, path, [("address", "new@example.com"), ("action", "send")])
            #expect(asked.status == .ok && asked.text.contains("one-time-code"))
            #expect(try await server.mails(to: "new@example.com").isEmpty)
        }
    }

    // MARK: The API

    static func start(
        _ server: TestServer, _ changes: [String: String?] = [:], from address: String? = nil
    ) async throws -> TestResponse {
        var form: [String: String?] = [
            "client_id": "regular-web-app", "client_secret": RelyingParty.regularWebApp(server).secret,
            "connection": "email", "email": "new@example.com", "send": "code",
        ]
        form.merge(changes) { $1 }
        return try await server.post(
            "/passwordless/start", form: form.compactMap { name, value in value.map { (name, $0) } },
            headers: try address.map { [try #require(HTTPField.Name("X-Forwarded-For")): $0] } ?? [:])
    }

    static func redeem(
        _ server: TestServer, _ code: String, username: String = "new@example.com", realm: String = "email"
    ) async throws -> TestResponse {
        try await server.post(
            "/oauth/token",
            form: [
                ("grant_type", grant), ("client_id", "regular-web-app"),
                ("client_secret", RelyingParty.regularWebApp(server).secret ?? ""), ("username", username),
                ("otp", code), ("realm", realm), ("scope", "openid email"),
            ])
    }

    @Test("Auth0: /passwordless/start has a code sent, and the passwordless grant takes it, once")
    func api() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let answer = try await Self.start(server)
            #expect(answer.status == .ok)
            let members = try answer.json()
            #expect(members["email"] == "new@example.com" && members["email_verified"] == false)
            #expect(members["_id"]?.string?.count == 24)
            let code = try await Self.code(server, to: "new@example.com")
            let tokens = try await Self.redeem(server, code).json()
            #expect(tokens["id_token"]?.string?.claims["email"] == "new@example.com")
            #expect(tokens["id_token"]?.string?.claims["email_verified"] == true)
            let again = try await Self.redeem(server, code)
            #expect(try again.json()["error"] == "invalid_grant")
            #expect(try again.json()["error_description"] == "Wrong email or verification code.")
        }
    }

    @Test(
        "At the token endpoint three wrong codes make the right one void, and of those who use one at once one gets in")
    func race() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            _ = try await Self.start(server)
            let code = try await Self.code(server, to: "new@example.com")
            for _ in 0..<3 { _ = try await Self.redeem(server, Self.wrong(code)) }
            #expect(try await Self.redeem(server, code).status != .ok)
            _ = try await Self.start(server)
            let next = try await Self.code(server, to: "new@example.com")
            let successes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { try await Self.redeem(server, next).status == .ok } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(successes == 1)
        }
    }

    @Test(
        "What cannot be sent is refused",
        arguments: [
            ["send": nil], ["send": "link"], ["connection": "Username-Password-Authentication"], ["email": nil],
            ["email": "nobody"], ["client_secret": "wrong"],
        ] as [[String: String?]])
    func refused(changes: [String: String?]) async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let answer = try await Self.start(server, changes)
            #expect([.badRequest, .unauthorized].contains(answer.status))
            #expect(try await server.mails().isEmpty)
        }
    }

    @Test("Codes are rate limited by address: nobody's mailbox is flooded")
    func rateLimit() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            for _ in 0..<10 {
                let answer = try await Self.start(server)
                #expect(answer.status == .ok)
            }
            #expect(try await Self.start(server).status == .tooManyRequests)
            #expect(try await Self.start(server, ["email": "other@example.com"]).status == .ok)
        }
    }

    @Test("Nobody uses up alone what somebody else's address may be sent, and all together use up what is enough")
    func rateLimitOfOthers() async throws {
        try await TestServer.run(Self.fixtures(), proxy: TestProxy()) { server in
            for visitor in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
                for _ in 0..<10 { #expect(try await Self.start(server, from: visitor).status == .ok) }
                #expect(try await Self.start(server, from: visitor).status == .tooManyRequests)
            }
            #expect(try await Self.start(server, from: "198.51.100.4").status == .tooManyRequests)
            let other = try await Self.start(server, ["email": "other@example.com"], from: "198.51.100.4")
            #expect(other.status == .ok)
        }
    }

    @Test("sms: Twilio is asked to send the code, with the connection's credentials")
    func textMessages() async throws {
        let web = SimulatedWeb()
        try web.publish(["sid": "SM1"], at: "https://api.twilio.com/2010-04-01/Accounts/AC123/Messages.json")
        var fixtures = Self.fixtures(Self.sms, strategy: "sms")
        fixtures.connectionSecrets = ["sms": ["twilio_token": "twilio-secret"]]
        try await TestServer.run(fixtures, outbound: web) { server in
            let answer = try await Self.start(
                server, ["connection": "sms", "email": nil, "phone_number": "+49 (151) 1234-5678"])
            #expect(try answer.json()["phone_number"] == "+4915112345678")
            let asked = try #require(web.requests.last)
            guard case .post(let form) = asked.method else {
                Issue.record("\(asked.method)")
                return
            }
            #expect(form.contains { $0.name == "To" && $0.value == "+4915112345678" })
            let credentials = Data("AC123:twilio-secret".utf8).base64EncodedString()
            #expect(asked.headers.contains { $0.name == "Authorization" && $0.value == "Basic \(credentials)" })
            let body = form.first { $0.name == "Body" }?.value ?? ""
            let code = String(try #require(body.firstMatch(of: /[0-9]{6}/)).output)
            let tokens = try await Self.redeem(server, code, username: "+4915112345678", realm: "sms").json()
            let subject = tokens["id_token"]?.string?.claims["sub"]?.string ?? ""
            #expect(subject.hasPrefix("sms|") && subject.count == 28)
        }
    }
}
