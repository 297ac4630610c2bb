import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Verifying an e-mail address")
struct EmailVerificationTests {
    private static let password = "Difference-Engine-1822"

    /// Signs somebody up on the page, as far as the application's callback.
    private static func signUp(_ server: TestServer, _ email: String) async throws -> TestResponse {
        try await signUp(TestBrowser(server), email)
    }

    private static func signUp(_ browser: TestBrowser, _ email: String) async throws -> TestResponse {
        let started = try await browser.get(
            RelyingParty.regularWebApp(browser.server).authorizationURL(["screen_hint": "signup"]))
        return try await browser.follow(
            browser.submit(started, [("email", email), ("password", password), ("action", "default")]))
    }

    /// Presses the button of a link's page.
    private static func confirm(_ path: String, _ server: TestServer) async throws -> TestResponse {
        let page = try await server.get(path)
        return try await server.post("/u/email-verification", form: TestBrowser.hiddenFields(page.text))
    }

    private static func user(_ email: String, _ server: TestServer) async throws -> User {
        let found = try await server.services.stores.users.find(
            connection: Connection.database.name, identifier: email)
        return try #require(found?.user)
    }

    @Test("Signing up mails a link that verifies the address once, and its page says so")
    func signUp() async throws {
        try await TestServer.run { server in
            let done = try await Self.signUp(server, "new@example.com")
            #expect(done.location?.hasPrefix(Client.callback) == true)
            let mail = try #require(try await server.mails(to: "new@example.com").first)
            #expect(mail.kind == .verifyEmail && mail.content.subject.contains("Regular Web App"))
            #expect(try await !Self.user("new@example.com", server).isEmailVerified)
            let path = try await server.mailedPath(to: "new@example.com")
            // Whoever only looks whether the link is there does not use it up.
            #expect(try await server.client.execute(uri: path, method: .head).status == .ok)
            #expect(try await !Self.user("new@example.com", server).isEmailVerified)
            let verified = try await Self.confirm(path, server)
            #expect(verified.status == .ok && verified.text.contains("Email verified"))
            #expect(try await Self.user("new@example.com", server).isEmailVerified)
            let again = try await server.get(path)
            #expect(again.status == .badRequest && again.text.contains("already used"))
            #expect(try await server.logTypes().suffix(2) == ["sv", "fv"])
        }
    }

    @Test("A mail scanner that opens the link verifies nothing, nor does whoever is signed in as somebody else")
    func scanner() async throws {
        try await TestServer.run { server in
            _ = try await Self.signUp(server, "new@example.com")
            let (path, browser) = (try await server.mailedPath(to: "new@example.com"), TestBrowser(server))
            _ = try await RelyingParty.regularWebApp(server).code(browser)
            for page in [try await server.get(path), try await browser.get(path)] {
                #expect(page.status == .ok && page.text.contains("Confirm your email address"))
                #expect(page.text.contains("new@example.com") && page.text.contains("Did you not sign up"))
            }
            #expect(try await !Self.user("new@example.com", server).isEmailVerified)
            #expect(try await !server.logTypes().contains("fv"))
            #expect(try await Self.confirm(path, server).text.contains("Email verified"))
        }
    }

    @Test("Auth0: in the browser where its user is signed in the link verifies the address at once")
    func ownBrowser() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            _ = try await Self.signUp(browser, "new@example.com")
            let verified = try await browser.get(server.mailedPath(to: "new@example.com"))
            #expect(verified.status == .ok && verified.text.contains("Email verified"))
            #expect(try await Self.user("new@example.com", server).isEmailVerified)
        }
    }

    @Test("A link ends after the template's time, and leads where the template says, with Auth0's parameters")
    func template() async throws {
        try await TestServer.run { server in
            var template = EmailTemplate(
                kind: .verifyEmail, subject: "S", body: "<a href=\"{{ url }}\">go</a> {{ application.name }}")
            template.resultURL = "{{ application.callback_domain }}/done?x=1"
            (template.includesEmailInRedirect, template.urlLifetime) = (true, 60)
            let saved = template
            try await server.services.stores.database.write { try EmailTemplateStore.save(saved, in: $0) }
            _ = try await Self.signUp(server, "new@example.com")
            let path = try await server.mailedPath(to: "new@example.com")
            let done = try await Self.confirm(path, server)
            #expect(done.status == .found && done.location?.hasPrefix("https://app.example.com/done?x=1&") == true)
            #expect(done.query("success") == "true" && done.query("email") == "new@example.com")
            let again = try await server.get(path)
            #expect(again.query("success") == "false" && again.query("code") == "used")
            _ = try await Self.signUp(server, "late@example.com")
            let late = try await server.mailedPath(to: "late@example.com")
            server.clock.advance(by: 61)
            #expect(try await server.get(late).query("code") == "expired")
            #expect(try await !Self.user("late@example.com", server).isEmailVerified)
        }
    }

    @Test("A link that was mailed to a former address verifies nothing, and the ticket is in no table as it is")
    func formerAddress() async throws {
        try await TestServer.run { server in
            _ = try await Self.signUp(server, "new@example.com")
            let path = try await server.mailedPath(to: "new@example.com")
            let secret = try #require(path.split(separator: "=").last.map(String.init))
            let database = server.services.stores.database
            let rows = try await database.read { try $0.rows("SELECT digest FROM ticket") }
            #expect(try rows.map { try $0.text("digest") } == [Secret(secret).digest])
            var user = try await Self.user("new@example.com", server)
            user.email = "other@example.com"
            let moved = user
            try await database.write { try UserStore.replace(moved, in: $0) }
            #expect(try await Self.confirm(path, server).status == .badRequest)
            #expect(try await !Self.user("other@example.com", server).isEmailVerified)
            #expect(try await server.get("/u/email-verification?ticket=unknown").text.contains("not valid"))
        }
    }

    @Test("ZITADEL CVE-2025-64101: links are built from the issuer, whatever host the request names")
    func hostileHost() async throws {
        try await TestServer.run { server in
            var headers: HTTPFields = [:]
            for (name, value) in [
                ("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example"), ("X-Host", "evil.example"),
                ("X-Original-Host", "evil.example"), ("X-Forwarded-Proto", "http"),
            ] {
                if let name = HTTPField.Name(name) { headers[name] = value }
            }
            let body =
                #"{"client_id":"regular-web-app","connection":"\#(Connection.database.name)","email":"#
            _ = try await server.post(
                "/dbconnections/signup", json: body + #""new@example.com","password":"\#(Self.password)"}"#,
                headers: headers)
            _ = try await server.post(
                "/dbconnections/change_password", json: body + #""ada@example.com"}"#, headers: headers)
            let mails = try await server.mails()
            #expect(Set(mails.map(\.kind)) == [.verifyEmail, .resetEmail])
            for mail in mails {
                #expect(mail.links.allSatisfy { $0.hasPrefix(TestServer.issuer) } && !mail.links.isEmpty)
                #expect(!mail.content.html.contains("evil.example") && !mail.content.text.contains("evil.example"))
            }
        }
    }

    @Test("A verified address is greeted where the tenant wants that, once")
    func welcome() async throws {
        try await TestServer.run { server in
            let template = EmailTemplate(kind: .welcomeEmail, subject: "Welcome", body: "<p>{{ user.email }}</p>")
            try await server.services.stores.database.write { try EmailTemplateStore.save(template, in: $0) }
            _ = try await Self.signUp(server, "new@example.com")
            let path = try await server.mailedPath(to: "new@example.com")
            _ = try await Self.confirm(path, server)
            _ = try await Self.confirm(path, server)
            let greetings = try await server.mails(to: "new@example.com").filter { $0.kind == .welcomeEmail }
            #expect(greetings.map(\.content.html) == ["<p>new@example.com</p>"])
        }
    }

    @Test("Where the tenant turns verification mails off nobody gets one")
    func off() async throws {
        try await TestServer.run { server in
            var template = EmailTemplate(kind: .verifyEmail, subject: "S", body: "B")
            template.isEnabled = false
            let saved = template
            try await server.services.stores.database.write { try EmailTemplateStore.save(saved, in: $0) }
            _ = try await Self.signUp(server, "new@example.com")
            #expect(try await server.mails().isEmpty)
        }
    }
}
