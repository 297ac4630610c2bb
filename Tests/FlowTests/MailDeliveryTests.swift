import AuthorizationServer
import Foundation
import OAuth
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Sending what waits")
struct MailDeliveryTests {
    /// A mail server that answers what it is told to.
    private final class Transport: MailTransport {
        let sent = Mutex<[(mail: OutgoingMail, server: MailServer)]>([])
        let answer = Mutex<MailFailure?>(nil)

        func send(_ mail: OutgoingMail, through server: MailServer) async throws(MailFailure) {
            sent.withLock { $0.append((mail, server)) }
            if let failure = answer.withLock({ $0 }) { throw failure }
        }

        var ids: [String] { sent.withLock { $0.map(\.mail.messageID) } }
    }

    private static func run(_ body: @escaping @Sendable (TestServer, Transport) async throws -> Void) async throws {
        let transport = Transport()
        try await TestServer.run(mailTransport: transport) { server in
            let services = server.services
            let (provider, password) = try EmailProvider.read(
                Document(
                    [
                        "name": "smtp", "default_from_address": "Shop <shop@example.com>",
                        "credentials": ["smtp_host": "mail.example.com", "smtp_user": "u", "smtp_pass": "my-password"],
                        "settings": ["headers": ["X-Tag": "one"]],
                    ], path: ""))
            let sealed = try password.map(services.secret.box.seal)
            try await services.stores.database.write {
                try EmailProviderStore.save(provider, sealedPassword: sealed, in: $0)
            }
            try await body(server, transport)
        }
    }

    private static func enqueue(_ server: TestServer, lasting: TimeInterval = 86_400) async throws {
        let services = server.services
        let mail = try await services.messages.prepare(
            ResetEmailMessage(url: "https://login.example.com/x"), to: MessageRecipient(email: "ada@example.com"),
            expiresAt: services.now() + lasting)
        let queued = try #require(mail)
        try await services.stores.database.write { try MailStore.enqueue(queued, in: $0) }
    }

    private static func state(_ server: TestServer) async throws -> (state: String, problem: String?) {
        let row = try await server.services.stores.database.read { try $0.row("SELECT * FROM mail") }
        return (try #require(row).text("state"), row?.optionalText("last_problem"))
    }

    @Test("A mail is sent once, with the provider's sender, password and headers, and is forgotten then")
    func sends() async throws {
        try await Self.run { server, transport in
            try await Self.enqueue(server)
            let delivery = MailDelivery(services: server.services)
            #expect(try await delivery.deliverDue())
            #expect(try await !delivery.deliverDue())
            let (mail, through) = try #require(transport.sent.withLock { $0.first })
            #expect(transport.ids.count == 1 && mail.headers == ["X-Tag": "one"])
            #expect(mail.content.from.address == "shop@example.com" && mail.content.from.name == "Shop")
            #expect(
                mail.content.recipient.address == "ada@example.com" && mail.messageID.hasSuffix("@login.example.com"))
            #expect(through.password == "my-password" && through.provider.host == "mail.example.com")
            #expect(try await Self.state(server).state == "sent")
        }
    }

    @Test("A server that refuses for a while is asked again, later and later, for the same mail under the same id")
    func retries() async throws {
        try await Self.run { server, transport in
            try await Self.enqueue(server)
            transport.answer.withLock { $0 = MailFailure("busy") }
            let delivery = MailDelivery(services: server.services)
            for pause in [2.0, 4, 8] {
                #expect(try await delivery.deliverDue())
                let (state, problem) = try await Self.state(server)
                #expect(state == "waiting" && problem == "busy")
                server.clock.advance(by: pause - 0.001)
                #expect(try await !delivery.deliverDue())
                server.clock.advance(by: 0.001)
            }
            transport.answer.withLock { $0 = nil }
            #expect(try await delivery.deliverDue())
            #expect(transport.ids.count == 4 && Set(transport.ids).count == 1)
            #expect(try await Self.state(server).state == "sent")
        }
    }

    @Test("A mail is given up with a log event: refused for good, tried too often, or of no use any more")
    func givesUp() async throws {
        for reason in ["permanent", "attempts", "expired"] {
            try await Self.run { server, transport in
                try await Self.enqueue(server, lasting: reason == "expired" ? 10 : 86_400 * 30)
                transport.answer.withLock { $0 = MailFailure("no such user", isPermanent: reason == "permanent") }
                let delivery = MailDelivery(services: server.services)
                if reason == "expired" { server.clock.advance(by: 11) }
                for _ in 0..<(reason == "attempts" ? MailDelivery.mostAttempts : 1) {
                    #expect(try await Self.state(server).state == "waiting")
                    #expect(try await delivery.deliverDue())
                    server.clock.advance(by: 3600)
                }
                #expect(try await Self.state(server).state == "failed")
                let event = try #require(try await server.logEvents().last)
                #expect(event.type == "fn" && event.details["to"] == "ada@example.com")
            }
        }
    }

    @Test("What a node had begun when it ended is sent again once its lease has passed, under the same id")
    func lease() async throws {
        try await Self.run { server, transport in
            try await Self.enqueue(server)
            _ = try await server.services.stores.mail.claim(at: server.services.now(), lease: 180, most: 1)
            let delivery = MailDelivery(services: server.services)
            #expect(try await !delivery.deliverDue())
            server.clock.advance(by: 180)
            #expect(try await delivery.deliverDue())
            #expect(transport.ids.count == 1)
        }
    }
}
