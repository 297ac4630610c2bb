import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("A forgotten password")
struct PasswordResetTests {
    private static let new = "Difference-Engine-1822"
    private static let sent = "We've just sent you an email to reset your password."

    private static func ask(_ server: TestServer, _ email: String) async throws -> TestResponse {
        try await server.post(
            "/dbconnections/change_password",
            json: #"{"client_id":"regular-web-app","connection":"\#(Connection.database.name)","email":"\#(email)"}"#)
    }

    /// Opens a link in a browser, and sends its form.
    private static func choose(
        _ password: String, again: String? = nil, _ path: String, _ browser: TestBrowser
    ) async throws -> TestResponse {
        let page = try await browser.get(path).text
        let form = TestBrowser.hiddenFields(page) + [("password", password), ("password_again", again ?? password)]
        return try await browser.post(path, form)
    }

    private static func canLogIn(_ password: String, _ server: TestServer) async throws -> Bool {
        let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
        let done = try await browser.logIn(browser.get(party.authorizationURL()), password: password)
        return done.location?.hasPrefix(Client.callback) == true
    }

    @Test("From the login page to a mail to a new password: the old one and every session and token have ended")
    func walk() async throws {
        try await TestServer.run { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let wanted: [String: String?] = ["audience": "appointments:api", "scope": "openid offline_access"]
            let tokens = try await party.redeem(party.code(browser, wanted)).json()
            let other = TestBrowser(server)
            let login = try await other.get(party.authorizationURL())
            let page = try await other.get(login.location ?? "").text
            let link = try #require(page.firstMatch(of: /href="(\/u\/reset-password\/request[^"]*)"/)?.1)
            let asked = try await other.submit(
                login, [("email", "ADA@example.com"), ("action", "default")], to: String(link))
            #expect(asked.status == .ok && asked.text.contains("Check your email"))
            let path = try await server.mailedPath(to: "ada@example.com")
            let form = try await other.get(path)
            #expect(form.text.contains("ada@example.com") && form.text.contains("At least 8 characters"))
            #expect(form.headers[HTTPField.Name("Referrer-Policy") ?? .referer] == "no-referrer")
            #expect(try await Self.choose(Self.new, again: "other", path, other).text.contains("not the same"))
            #expect(try await Self.choose("short", path, other).text.contains("stronger password"))
            let done = try await Self.choose(Self.new, path, other)
            #expect(done.status == .ok && done.text.contains("Password changed!"))
            #expect(try await Self.canLogIn(Self.new, server))
            #expect(try await !Self.canLogIn(User.adaPassword, server))
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "login_required")
            #expect(try await party.refresh(tokens["refresh_token"]?.string ?? "").status != .ok)
            let again = try await other.get(path)
            #expect(again.status == .badRequest && again.text.contains("already used"))
            #expect(try await Set(server.logTypes()).isSuperset(of: ["scpr", "scp"]))
        }
    }

    @Test("Security 38: nobody learns from the answer whether there is such a user, and only who there is gets a mail")
    func enumeration() async throws {
        try await TestServer.run { server in
            let answers = [
                try await Self.ask(server, "ada@example.com"), try await Self.ask(server, "nobody@example.com"),
                try await Self.ask(server, "no address"),
            ]
            for answer in answers {
                #expect(answer.status == .ok && answer.text == Self.sent)
                #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            }
            // The looking is done later: while anybody waits there is the same one row for each.
            let rows = try await server.services.stores.database.read {
                try $0.rows("SELECT id FROM password_reset_request")
            }
            #expect(rows.count == 3)
            #expect(try await server.mails().map(\.content.recipient.address) == ["ada@example.com"])
        }
    }

    @Test("Only the newest link works, and of two browsers that send the form at once one changes the password")
    func newest() async throws {
        try await TestServer.run { server in
            _ = try await Self.ask(server, "ada@example.com")
            let first = try await server.mailedPath(to: "ada@example.com")
            server.clock.advance(by: 1)
            _ = try await Self.ask(server, "ada@example.com")
            let second = try await server.mailedPath(to: "ada@example.com")
            #expect(first != second)
            #expect(try await server.get(first).text.contains("already used"))
            let results = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        try await Self.choose(Self.new + "\(index)", second, TestBrowser(server)).text
                            .contains("Password changed!")
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter(\.self).count == 1)
        }
    }

    @Test("What anybody asks for takes away no link that the tenant has made; a new password takes both away")
    func ownTickets() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.post("tickets/password-change", ["user_id": .string(User.ada.id)])
            let ticket = try #require(made["ticket"]?.string)
            let path = "/" + ticket.dropFirst(TestServer.issuer.count).prefix { $0 != "#" }
            server.clock.advance(by: 1)
            _ = try await Self.ask(server, "ada@example.com")
            let mailed = try await server.mailedPath(to: "ada@example.com")
            #expect(try await server.get(path).text.contains("Choose a new password"))
            let done = try await Self.choose(Self.new, path, TestBrowser(server))
            #expect(done.text.contains("Password changed!"))
            #expect(try await server.get(mailed).text.contains("already used"))
        }
    }

    @Test(
        "A link ends, is its user's and its browser's form's alone, and what was blocked is free with the new password")
    func limits() async throws {
        try await TestServer.run { server in
            _ = try await Self.ask(server, "grace@example.com")
            let path = try await server.mailedPath(to: "grace@example.com")
            // A form without this browser's token changes nothing.
            let forged = try await TestBrowser(server).post(
                path, [("password", Self.new), ("password_again", Self.new)])
            #expect(forged.status == .forbidden)
            // The address was not verified; a link that was mailed there proves it.
            _ = try await Self.choose(Self.new, path, TestBrowser(server))
            let grace = try await server.services.stores.users.find(User.grace.id)
            #expect(grace?.isEmailVerified == true)
            server.clock.advance(by: 1)
            _ = try await Self.ask(server, "grace@example.com")
            let late = try await server.mailedPath(to: "grace@example.com")
            server.clock.advance(by: 432_000)
            #expect(try await server.get(late).text.contains("expired"))
        }
    }

    @Test("Ten requests about one account in ten minutes; the eleventh is refused, whether there is one or not")
    func rateLimit() async throws {
        try await TestServer.run { server in
            for email in ["ada@example.com", "nobody@example.com"] {
                for _ in 0..<10 { #expect(try await Self.ask(server, email).status == .ok) }
                let refused = try await Self.ask(server, email)
                #expect(refused.status == .tooManyRequests)
                #expect(try refused.json()["error"] == "too_many_requests" && refused.headers[.retryAfter] != nil)
            }
            // Whoever asks, a user is not drowned in mails.
            #expect(try await server.mails(to: "ada@example.com").count == 5)
        }
    }

    @Test("What is missing or foreign is refused as Auth0 does")
    func refusals() async throws {
        try await TestServer.run { server in
            for (body, code) in [
                ("{}", "invalid_body"), (#"{"client_id":"regular-web-app"}"#, "invalid_body"),
                (#"{"client_id":"none","connection":"x"}"#, "invalid_client"),
                (#"{"client_id":"regular-web-app","connection":"x","email":"a@example.com"}"#, "invalid_connection"),
                (#"{"client_id":"regular-web-app","connection":"\#(Connection.database.name)"}"#, "invalid_body"),
            ] {
                let answer = try await server.post("/dbconnections/change_password", json: body)
                #expect(answer.status != .ok)
                #expect(try answer.json()["code"] == .string(code), "\(body)")
            }
        }
    }
}
