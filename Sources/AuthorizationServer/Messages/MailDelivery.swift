import Foundation
import Logging
import OAuth
import Storage

/// Sends the mails that are due. A mail leaves the queue only when the mail server has taken it; what a node has begun when
/// it ends is sent again under the same `Message-ID`.
package struct MailDelivery: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which a try belongs to its node; more than a transfer can take.
    static let lease: TimeInterval = 180
    /// Mails at a time, each on a thread of its own.
    package static let atOnce = 4
    /// Tries until a mail is given up: about half a day, unless its link ends before.
    package static let mostAttempts = 24

    /// Seconds between a mail's `attempt`th try and the next.
    static func pause(after attempt: Int) -> TimeInterval { min(3600, TimeInterval(1 << min(attempt, 20))) }

    /// Sends what is due, a few at a time.
    /// - Returns: whether there may be more.
    package func deliverDue() async throws -> Bool {
        let (now, store) = (services.now(), services.stores.mail)
        guard try await store.isAnyDue(at: now) else { return false }
        let mails = try await store.claim(at: now, lease: Self.lease, most: Self.atOnce)
        guard !mails.isEmpty else { return false }
        let server = try await server()
        try await withThrowingTaskGroup { group in
            for mail in mails { group.addTask { try await deliver(mail, through: server) } }
            try await group.waitForAll()
        }
        return true
    }

    /// The tenant's mail server, or nil where it has none.
    private func server() async throws -> MailServer? {
        let stored = try await services.stores.database.readOnce { try EmailProviderStore.find(in: $0) }
        guard let stored, stored.provider.isEnabled else { return nil }
        return MailServer(
            provider: stored.provider, password: try stored.sealedPassword.map(services.secret.box.open),
            greeting: String(services.issuer.domain.prefix { $0 != ":" && $0 != "[" }))
    }

    private func deliver(_ mail: QueuedMail, through server: MailServer?) async throws {
        guard mail.expiresAt > services.now() else {
            return try await giveUp(mail, "its link or code has expired meanwhile")
        }
        do {
            try await send(mail, through: server)
            try await services.stores.mail.finish(mail, as: .sent, at: services.now())
        } catch let failure as MailFailure {
            guard !failure.isPermanent, mail.attempts < Self.mostAttempts else {
                return try await giveUp(mail, failure.description)
            }
            services.logger.warning(
                "mail not sent, will be tried again",
                metadata: [
                    "mail": "\(mail.id)", "kind": "\(mail.kind.rawValue)", "try": "\(mail.attempts)",
                    "cause": "\(failure.description)",
                ])
            let due = services.now().addingTimeInterval(Self.pause(after: mail.attempts))
            try await services.stores.mail.putOff(mail, until: due, problem: failure.description)
        }
    }

    private func send(_ mail: QueuedMail, through server: MailServer?) async throws {
        guard let server else {
            throw MailFailure(
                "the tenant has no e-mail provider any more: set one (emailProvider of the tenant file, or POST "
                    + "/api/v2/emails/provider)")
        }
        guard let sealed = mail.sealedContent else { throw MailFailure("the mail is empty", isPermanent: true) }
        let content = try JSON.decode(MailContent.self, from: services.secret.box.open(sealed))
        try await services.mailTransport.send(
            OutgoingMail(
                content: content, messageID: "\(mail.id)@\(server.greeting)", date: mail.createdAt,
                headers: server.provider.headers),
            through: server)
    }

    private func giveUp(_ mail: QueuedMail, _ problem: String) async throws {
        guard try await services.stores.mail.finish(mail, as: .failed, problem: problem, at: services.now()) else {
            return
        }
        services.logger.error(
            "mail given up",
            metadata: ["mail": "\(mail.id)", "kind": "\(mail.kind.rawValue)", "cause": "\(problem)"])
        let trail = LogTrail()
        trail.note { facts in
            (facts.userID, facts.userName) = (mail.userID, mail.recipient)
            facts.details = ["email_type": .string(mail.kind.rawValue), "to": .string(mail.recipient)]
        }
        services.log(.failedNotification, trail, description: problem)
    }
}
