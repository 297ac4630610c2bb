import Foundation
import Logging
import OAuth
import Storage

/// Tells a user that too many failed logins keep their name out, with a link that lets it in again.
struct BlockNotice: Sendable {
    let services: Services

    /// Seconds for which the link is good.
    private static let lifetime: TimeInterval = 5 * 86_400
    /// Seconds in which there is one mail about one name and address, and few about the name, wherever it is tried from.
    private static let window: TimeInterval = 3600
    private static let mostForIdentifier = 3

    /// Puts the mail down. The same is done where there is no such user, but for the mail itself: the answer must not take
    /// longer for somebody who exists.
    /// - Parameter failures: what has come to a block.
    func send(to user: User?, about failures: FailedLogins) async {
        do {
            let protection = try await services.configuration.sections().bruteForce
            guard protection.shields.contains(.userNotification) else { return }
            let (secret, now) = (Secret.random(), services.now())
            let known = user.flatMap { MessageRecipient($0) }
            let recipient = known ?? MessageRecipient(email: "nobody@example.com")
            let mail = try await services.messages.prepare(
                BlockedAccountMessage(
                    url: services.issuer.url("u/unblock?ticket=\(secret.text)"),
                    address: RequestOrigin.current?.ip ?? ""), to: recipient,
                expiresAt: now.addingTimeInterval(Self.lifetime))
            let isAllowed = try await isAllowed(failures, at: now)
            guard let mail, isAllowed else { return }
            let ticket = known?.user.map { user in
                Ticket(
                    .unblock, userID: user.id, email: user.email,
                    settings: [
                        "connection": .string(failures.connection.name), "identifier": .string(failures.identifier),
                    ], createdAt: now, expiresAt: now.addingTimeInterval(Self.lifetime))
            }
            try await services.stores.database.write { transaction in
                guard let ticket else { return }
                try TicketStore.insert(ticket, digest: secret.digest, in: transaction)
                try MailStore.enqueue(mail, in: transaction)
            }
        } catch {
            services.logger.error("nobody is told of a block", metadata: ["cause": "\(error)"])
        }
    }

    /// Counts a mail, whether or not there is anybody to get it. One that its sender's address does not allow does not count
    /// for the name.
    private func isAllowed(_ failures: FailedLogins, at now: Date) async throws -> Bool {
        let name = "block-notice \(failures.identifierDigest)"
        for (subject, most) in [("\(name) \(failures.address)", 1), (name, Self.mostForIdentifier)] {
            let refusal = try await services.stores.rateLimits.refusal(
                subject, most: most, window: Self.window, at: now)
            guard refusal == nil else { return false }
        }
        return true
    }
}

/// Taking a block away by the link that its mail had.
package struct Unblocking: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Whether the link is still good for something.
    package func isOpen(_ ticket: String) async throws -> Bool {
        let found = try await services.stores.tickets.find(Secret(ticket).digest, .unblock)
        return found.map { $0.usedAt == nil && $0.expiresAt > services.now() } ?? false
    }

    /// Lets the user in again, once.
    /// - Returns: false where the link is good for nothing: used, expired, or its user has another address by now.
    package func unblock(_ ticket: String) async throws -> Bool {
        let (digest, now) = (Secret(ticket).digest, services.now())
        let user = try await services.stores.database.write { transaction -> User? in
            guard let ticket = try TicketStore.use(digest, .unblock, at: now, in: transaction),
                let user = try UserStore.find(ticket.userID, in: transaction), user.email == ticket.email,
                let connection = ticket.settings["connection"]?.string,
                let identifier = ticket.settings["identifier"]?.string
            else { return nil }
            try LoginBlocks.remove([(connection, identifier)], in: transaction)
            return user
        }
        guard let user else { return false }
        let trail = LogTrail()
        trail.note(user)
        services.log(.blockReleased, trail, description: "Unblocked by the link of a mail")
        return true
    }
}
