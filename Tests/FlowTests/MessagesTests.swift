import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Mails that are written")
struct MessagesTests {
    private static func recipient(_ server: TestServer) async throws -> MessageRecipient {
        let user = User(
            id: "auth0|1", connection: "Users", email: "ada@example.com", createdAt: server.services.now())
        return try #require(MessageRecipient(user, client: Client(clientID: "app", name: "Notes <&>")))
    }

    /// Writes a message and puts it down.
    private static func send(_ message: some Message, _ server: TestServer) async throws -> DevelopmentInbox.Letter? {
        let services = server.services
        let mail = try await services.messages.prepare(
            message, to: try await recipient(server), expiresAt: services.now() + 3600)
        guard let mail else { return nil }
        try await services.stores.database.write { try MailStore.enqueue(mail, in: $0) }
        return try await server.mails().first { $0.id == mail.id }
    }

    @Test("Every kind has a standard mail in HTML and text that says what it is for, with its link or code")
    func standardMails() async throws {
        try await TestServer.run { server in
            let link = "https://login.example.com/u/x?ticket=t&a=b"
            let organization = UserInvitationMessage(url: link, inviterName: "Grace", roles: ["admin", "editor"])
            let messages: [(any Message, String)] = [
                (VerifyEmailMessage(url: link), link), (VerifyEmailByCodeMessage(code: "123456"), "123456"),
                (ResetEmailMessage(url: link), link), (ResetEmailByCodeMessage(code: "123456"), "123456"),
                (BlockedAccountMessage(url: link, address: "192.0.2.7"), link),
                (StolenCredentialsMessage(url: link), link), (EnrollmentEmailMessage(link: link), link),
                (MFAOutOfBandCodeMessage(code: "123456"), "123456"), (organization, link),
                (PasswordlessMessage(.code("123456")), "123456"), (PasswordlessMessage(.link(link)), link),
            ]
            for (message, proof) in messages {
                let letter = try #require(try await Self.send(message, server))
                let html = letter.content.html
                #expect(letter.content.text.contains(proof), "\(letter.kind)")
                #expect(html.contains(proof.replacing("&", with: "&amp;")), "\(letter.kind)")
                #expect(!html.contains("Notes <&>") && !html.contains("{{") && !html.contains("{%"), "\(letter.kind)")
                #expect(!letter.content.subject.isEmpty && !letter.content.text.contains("{{"), "\(letter.kind)")
                #expect(proof == "123456" || letter.links == [link], "\(letter.kind)")
            }
            #expect(try await Self.send(WelcomeEmailMessage(), server) == nil, "off until the tenant wants it")
        }
    }

    @Test("The tenant's template is used, with Auth0's variables; one that is off sends nothing")
    func tenantTemplate() async throws {
        try await TestServer.run { server in
            var template = EmailTemplate(
                kind: .resetEmail, subject: "{{ application.name }}\r\nBcc: eve@example.com",
                body:
                    "<p>{{ user.email }} {{ application.clientID }} {{ friendly_name }}: <a href=\"{{ url }}\">go</a></p>"
            )
            template.from = "{{ application.name }} <help@example.com>"
            let saved = template
            try await server.services.stores.database.write { try EmailTemplateStore.save(saved, in: $0) }
            let letter = try #require(
                try await Self.send(ResetEmailMessage(url: "https://login.example.com/?a=1&b=2"), server))
            #expect(
                letter.content.html == "<p>ada@example.com app login.example.com: "
                    + "<a href=\"https://login.example.com/?a=1&amp;b=2\">go</a></p>")
            #expect(letter.content.text.contains("go: https://login.example.com/?a=1&b=2"))
            #expect(!letter.content.subject.contains { $0.isNewline })
            // A name that would need brackets of its own leaves the address what it is.
            #expect(letter.content.from.address == "help@example.com")
            template.isEnabled = false
            let off = template
            try await server.services.stores.database.write { try EmailTemplateStore.save(off, in: $0) }
            #expect(try await Self.send(ResetEmailMessage(url: "https://x.example"), server) == nil)
        }
    }

    @Test("What waits is unreadable in the database")
    func sealed() async throws {
        try await TestServer.run { server in
            _ = try await Self.send(MFAOutOfBandCodeMessage(code: "code-481516"), server)
            let rows = try await server.services.stores.database.read { try $0.rows("SELECT * FROM mail") }
            #expect(rows.count == 1)
            #expect(rows.allSatisfy { $0.optionalText("sealed_content")?.contains("481516") == false })
        }
    }

    @Test("The development inbox shows mails with their links, as pages and as JSON, and their HTML may do nothing")
    func inbox() async throws {
        try await TestServer.run { server in
            #expect(try await server.get("/dev/inbox").text.contains("There are no mails yet"))
            let letter = try #require(
                try await Self.send(VerifyEmailMessage(url: "https://login.example.com/u/v?ticket=1"), server))
            let list = try await server.get("/dev/inbox")
            #expect(list.status == .ok && list.text.contains("/dev/inbox/\(letter.id)"))
            let page = try await server.get("/dev/inbox/\(letter.id)")
            #expect(
                page.text.contains("href=\"https://login.example.com/u/v?ticket=1\"") && page.text.contains("sandbox"))
            let html = try await server.get("/dev/inbox/\(letter.id)/html")
            let policy = try #require(html.headers[.contentSecurityPolicy])
            #expect(policy.hasPrefix("sandbox;") && policy.contains("default-src 'none'"))
            let json = try await server.get("/dev/inbox.json?to=ADA@example.com").text
            #expect(json.contains("\"links\":[\"https://login.example.com/u/v?ticket=1\"]"))
            #expect(try await server.get("/dev/inbox.json?to=eve@example.com").text == "[]")
            #expect(try await server.get("/dev/inbox/unknown").status == .notFound)
            #expect(try await server.client.execute(uri: "/dev/inbox.json", method: .delete).status == .noContent)
            #expect(try await server.get("/dev/inbox.json").text == "[]")
        }
    }

    @Test("Where mails are sent the inbox is not there, and nothing is kept for it")
    func inboxWithProvider() async throws {
        try await TestServer.run { server in
            let (provider, _) = try EmailProvider.read(
                Document(
                    [
                        "name": "smtp", "default_from_address": "a@example.com",
                        "credentials": ["smtp_host": "localhost"],
                    ],
                    path: ""))
            try await server.services.stores.database.write {
                try EmailProviderStore.save(provider, sealedPassword: nil, in: $0)
            }
            #expect(try await server.get("/dev/inbox").status == .notFound)
            #expect(try await server.get("/dev/inbox.json").status == .notFound)
            #expect(try await Self.send(VerifyEmailMessage(url: "https://x.example"), server) == nil)
            #expect(try await server.services.stores.mail.isAnyDue(at: server.services.now()))
        }
    }

    @Test("In production there is no inbox, and a mail that nothing can send is not written")
    func production() async throws {
        try await TestServer.run(isDevelopment: false) { server in
            for path in ["/dev/inbox", "/dev/inbox.json", "/dev/inbox/x", "/dev/inbox/x/html"] {
                #expect(try await server.get(path).status == .notFound)
            }
            #expect(try await Self.send(VerifyEmailMessage(url: "https://x.example"), server) == nil)
            let rows = try await server.services.stores.database.read { try $0.rows("SELECT * FROM mail") }
            #expect(rows.isEmpty)
        }
    }
}
