import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: e-mail provider and templates")
struct ManagementEmailsTests {
    private static let provider: JSONValue = [
        "name": "smtp", "default_from_address": "Shop <shop@example.com>",
        "credentials": ["smtp_host": "mail.example.com", "smtp_user": "u", "smtp_pass": "my-password"],
    ]

    /// What a browser asks for where it opens a ticket's link.
    private static func path(_ ticket: String) -> String {
        "/" + ticket.dropFirst(TestServer.issuer.count).prefix { $0 != "#" }
    }

    private static func sealed(_ server: TestServer) async throws -> String? {
        let stored = try await server.services.stores.database.read { try EmailProviderStore.find(in: $0) }
        return try stored?.sealedPassword.map(server.services.secret.box.open)
    }

    @Test("Auth0: the provider is made once, changed and removed, and its password is never read back")
    func provider() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "emails/provider"
            #expect(try await management.send(.get, path).status == .notFound)
            #expect(try await management.send(.patch, path, ["enabled": false]).status == .notFound)
            let made = try await management.send(.post, path, Self.provider)
            #expect(made.status == .created && !made.text.contains("my-password"))
            #expect(try made.json()["credentials"]?.object?["smtp_port"] == 587)
            #expect(try await management.send(.post, path, Self.provider).status == .conflict)
            #expect(try await Self.sealed(server) == "my-password")
            #expect(try await !management.send(.get, path).text.contains("my-password"))
            let stored = try await server.services.stores.database.read { try $0.rows("SELECT * FROM email_provider") }
            #expect(stored.allSatisfy { $0.optionalText("document")?.contains("my-password") == false })
            // A change that says nothing of the password keeps it, as long as the mail goes to the same place.
            let changed = try await management.patch(path, ["credentials": ["smtp_port": 587], "enabled": false])
            #expect(changed["enabled"] == false)
            #expect(try await Self.sealed(server) == "my-password")
            _ = try await management.patch(path, ["credentials": ["smtp_host": "evil.example"]])
            #expect(try await Self.sealed(server) == nil)
            #expect(try await management.send(.delete, path).status == .noContent)
            #expect(try await management.send(.delete, path).status == .noContent)
            #expect(
                try await server.logEvents().allSatisfy { event in
                    try !JSON.text(event.details).contains("my-password")
                })
        }
    }

    @Test("What this server cannot do it does not pretend to do, and wrong values are named")
    func refusals() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            func status(_ change: (inout JSONObject) -> Void) async throws -> Int {
                var body = Self.provider.object ?? [:]
                change(&body)
                return try await management.send(.post, "emails/provider", .object(body)).status.code
            }
            for name in ["sendgrid", "mailgun", "ses", "mandrill", "sparkpost", "ms365"] {
                #expect(try await status { $0["name"] = .string(name) } == 501)
            }
            #expect(try await status { $0["default_from_address"] = "nobody" } == 400)
            #expect(try await status { $0["default_from_address"] = "a@example.com\r\nBcc: e@example.com" } == 400)
            #expect(try await status { $0["credentials"] = ["smtp_host": "a b"] } == 400)
            #expect(try await status { $0["credentials"] = ["smtp_host": "a", "smtp_port": 0] } == 400)
            // A password over an open line to another machine.
            #expect(try await status { $0["settings"] = ["security": "none"] } == 400)
            #expect(try await status { $0["settings"] = ["headers": ["Bcc": "e@example.com"]] } == 400)
            #expect(try await status { $0["settings"] = ["headers": ["X-A": "a\r\nBcc: e"]] } == 400)
            #expect(try await status { $0["other"] = 1 } == 400)
        }
    }

    @Test(
        "Auth0: templates are made, read and changed; Liquid that no mail could use is refused at once, with its line")
    func templates() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let body: JSONValue = [
                "template": "reset_email", "body": "<p>{{ url }}</p>", "subject": "Reset", "syntax": "liquid",
                "from": "Shop <shop@example.com>", "enabled": true, "urlLifetimeInSeconds": 0, "resultUrl": nil,
            ]
            #expect(try await management.send(.get, "email-templates/reset_email").status == .notFound)
            #expect(try await management.send(.get, "email-templates/none").status == .notFound)
            let made = try await management.send(.post, "email-templates", body)
            #expect(made.status == .ok)
            #expect(try made.json()["urlLifetimeInSeconds"] == 432_000)
            #expect(try await management.send(.post, "email-templates", body).status == .conflict)
            let changed = try await management.patch("email-templates/reset_email", ["enabled": false, "from": nil])
            #expect(changed["enabled"] == false && changed["from"] == nil && changed["subject"] == "Reset")
            let put = try await management.send(
                .put, "email-templates/welcome_email", ["body": "<p>Hi</p>", "subject": "Hi", "enabled": true])
            #expect(try put.status == .ok && put.json()["template"] == "welcome_email")
            for wrong: JSONValue in [
                ["body": "{% include 'x' %}"], ["body": "{{ x | shout }}"], ["subject": "{% if x %}"],
                ["from": "nobody"], ["syntax": "mustache"], ["template": "welcome_email"], ["body": ""],
            ] {
                let answer = try await management.send(.patch, "email-templates/reset_email", wrong)
                #expect(answer.status == .badRequest, "\(wrong)")
            }
            let answer = try await management.send(
                .patch, "email-templates/reset_email", ["body": "a\n\n{% if x %}"])
            #expect(answer.text.contains("line 3"))
        }
    }

    @Test("Auth0: a ticket for a new password, by the user or by the address, leads where it is told to")
    func passwordTickets() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.send(
                .post, "tickets/password-change",
                [
                    "email": "grace@example.com", "connection_id": "con_0123456789abcdef",
                    "result_url": "https://app.example.com/done", "ttl_sec": 60, "mark_email_as_verified": true,
                    "includeEmailInRedirect": true,
                ])
            #expect(made.status == .created)
            let ticket = try #require(made.json()["ticket"]?.string)
            #expect(ticket.wholeMatch(of: /https:\/\/login\.example\.com\/u\/reset-verify\?ticket=[\w-]{43}#/) != nil)
            let path = Self.path(ticket)
            let browser = TestBrowser(server)
            let form = TestBrowser.hiddenFields(try await browser.get(path).text)
            let done = try await browser.post(
                path, form + [("password", "Difference-1822"), ("password_again", "Difference-1822")])
            #expect(done.location?.hasPrefix("https://app.example.com/done?") == true)
            #expect(done.query("success") == "true" && done.query("email") == "grace@example.com")
            #expect(try await server.services.stores.users.find(User.grace.id)?.isEmailVerified == true)
            let late = try await management.post(
                "tickets/password-change", ["user_id": .string(User.ada.id), "ttl_sec": 60])
            server.clock.advance(by: 61)
            #expect(try await server.get(Self.path(late["ticket"]?.string ?? "")).text.contains("expired"))
            for (wrong, status) in [
                (
                    [
                        "user_id": .string(User.ada.id), "result_url": "https://a.example/",
                        "client_id": "single-page-app",
                    ], 400
                ),
                (["user_id": "auth0|none"], 404), ([:], 400),
                (["user_id": .string(User.ada.id), "email": "a@b.c"], 400),
                (["email": "ada@example.com", "connection_id": "con_none"], 404),
                (["user_id": .string(User.ada.id), "result_url": "javascript:alert(1)"], 400),
                (["user_id": .string(User.ada.id), "client_id": "none"], 404),
            ] as [(JSONObject, Int)] {
                let answer = try await management.send(.post, "tickets/password-change", .object(wrong))
                #expect(answer.status.code == status, "\(wrong)")
            }
        }
    }

    @Test("Auth0: a ticket verifies an address, and the job mails one")
    func verification() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let job = try await management.send(
                .post, "jobs/verification-email", ["user_id": .string(User.grace.id), "client_id": "single-page-app"])
            #expect(job.status == .created)
            let body = try job.json()
            #expect(body["type"] == "verification_email" && body["status"] == "pending")
            #expect(try await management.get("jobs/\(body["id"]?.string ?? "")")["status"] == "completed")
            let mail = try #require(try await server.mails(to: "grace@example.com").first)
            #expect(mail.kind == .verifyEmail && mail.content.subject.contains("Single Page App"))
            let made = try await management.post(
                "tickets/email-verification",
                ["user_id": .string(User.grace.id), "result_url": "https://app.example.com/verified"])
            let ticket = try #require(made["ticket"]?.string)
            let page = try await server.get(Self.path(ticket))
            let done = try await server.post("/u/email-verification", form: TestBrowser.hiddenFields(page.text))
            #expect(done.location?.hasPrefix("https://app.example.com/verified?") == true && done.query("email") == nil)
            #expect(try await server.services.stores.users.find(User.grace.id)?.isEmailVerified == true)
            #expect(
                try await management.send(.post, "jobs/verification-email", ["user_id": "auth0|none"]).status
                    == .notFound)
        }
    }

    @Test("Auth0: a new user is asked to verify the address unless the request says that it is, or not to ask")
    func newUsers() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let cases: [(changes: JSONObject, isAsked: Bool)] = [
                ([:], true), (["email_verified": true], false), (["verify_email": false], false),
            ]
            for (index, (changes, isAsked)) in cases.enumerated() {
                let email = "user\(index)@example.com"
                let user: JSONObject = [
                    "connection": .string(Connection.database.name), "email": .string(email),
                    "password": "Difference-Engine-1822",
                ]
                _ = try await management.post("users", .object(user.merging(changes) { $1 }))
                #expect(try await server.mails(to: email).isEmpty != isAsked, "\(changes)")
            }
            let id = User.ada.id.replacing("|", with: "%7C")
            _ = try await management.patch("users/\(id)", ["email": "ada2@example.com", "verify_email": true])
            #expect(try await server.mails(to: "ada2@example.com").map(\.kind) == [.verifyEmail])
        }
    }
}
