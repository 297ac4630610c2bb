import Foundation
import Logging
import OAuth
import Storage

/// Asking for a link to a new password. Whoever asks learns nothing: not what there is, and not how long looking takes, for
/// the looking is done later.
package struct PasswordResetRequests: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Too many requests; the answer is the same for addresses that there are and that there are not.
    package struct TooMany: Error, Sendable {
        /// Seconds after which one more is taken.
        package let retryAfter: Int
    }

    /// Seconds in which an address may ask ``mostForAccount`` times about one account, and ``mostInAll`` times about any.
    private static let window: TimeInterval = 600
    private static let mostForAccount = 10
    private static let mostInAll = 50
    /// Mails to one user in an hour, whoever asks for them.
    private static let mostMails = 5

    /// Notes a request.
    /// - Parameters:
    ///   - sent: an e-mail address or a user name, as it was typed.
    ///   - address: where the request comes from, as attempts are counted.
    /// - Throws: ``TooMany``.
    package func add(_ sent: String, connection: Connection, client: Client?, address: String) async throws {
        let identifier = EmailAddress(sent)?.text ?? String(sent.lowercased().prefix(254))
        let (limits, now) = (services.stores.rateLimits, services.now())
        let account = Secret("\(connection.name) \(identifier)").digest
        for (subject, most) in [
            ("password reset \(address) \(account)", Self.mostForAccount),
            ("password reset \(address)", Self.mostInAll),
        ] {
            if let wait = try await limits.refusal(subject, most: most, window: Self.window, at: now) {
                throw TooMany(retryAfter: wait)
            }
        }
        var document: JSONObject = [:]
        document["client_id"] = (client?.clientID).map(JSONValue.string)
        document["ip"] = (RequestOrigin.current?.ip).map { .string("\($0)") }
        try await services.stores.passwordResetRequests.insert(
            PasswordResetRequest(
                id: RandomBytes.alphanumeric(24), connection: connection.name, identifier: identifier,
                document: document, createdAt: now.storable))
    }

    /// Seconds for which a request belongs to the node that looks into it.
    private static let lease: TimeInterval = 60
    private static let mostAtOnce = 4

    /// Looks into the requests that wait: where there is such a user, a link is mailed.
    /// - Returns: whether there may be more.
    package func answerDue() async throws -> Bool {
        let (store, now) = (services.stores.passwordResetRequests, services.now())
        guard try await store.isAnyDue(at: now) else { return false }
        let requests = try await store.claim(at: now, lease: Self.lease, most: Self.mostAtOnce)
        // At the same time, so that those with scripts are done before the lease has passed.
        await withTaskGroup(of: Void.self) { group in
            for request in requests {
                group.addTask {
                    do {
                        try await answer(request)
                    } catch {
                        services.logger.warning(
                            "cannot answer a request for a new password", metadata: ["cause": "\(error)"])
                    }
                }
            }
        }
        return !requests.isEmpty
    }

    private func answer(_ request: PasswordResetRequest) async throws {
        let trail = LogTrail()
        trail.note { facts in
            (facts.connection, facts.clientID) = (request.connection, request.document["client_id"]?.string)
            facts.userName = EmailAddress(request.identifier)?.text
            facts.details["ip"] = request.document["ip"]
        }
        let prepared = try await prepare(request, trail)
        let isFirst = try await services.stores.database.write { transaction in
            guard try PasswordResetRequestStore.finish(request, in: transaction) else { return false }
            try prepared?.ticket.write(in: transaction)
            if let mail = prepared?.mail { try MailStore.enqueue(mail, in: transaction) }
            return true
        }
        guard isFirst else { return }
        if prepared != nil {
            services.log(.passwordChangeRequest, trail, description: "A link to a new password is mailed")
        } else {
            services.log(.failedPasswordChangeRequest, trail, description: "No link is mailed: " + trail.reason)
        }
    }

    private func prepare(
        _ request: PasswordResetRequest, _ trail: LogTrail
    ) async throws -> (ticket: IssuedTicket, mail: QueuedMail)? {
        let client: Client?
        if let id = request.document["client_id"]?.string {
            client = try await services.configuration.client(id)?.client
        } else {
            client = nil
        }
        guard let user = try await user(request, client, trail), let email = user.email else {
            trail.note { $0.details["reason"] = $0.details["reason"] ?? "there is no such user" }
            return nil
        }
        trail.note(user)
        let wait = try await services.stores.rateLimits.refusal(
            "password reset mail \(Secret(user.id).digest)", most: Self.mostMails, window: 3600, at: services.now())
        guard wait == nil else {
            trail.note { $0.details["reason"] = "too many were mailed to the user within an hour" }
            return nil
        }
        let recipient = MessageRecipient(email: email, user: user, client: client)
        let template = try await services.messages.template(.resetEmail)
        var settings = TicketSettings()
        settings.resultURL = try await services.messages.resultURL(of: template, for: recipient)
        settings.includesEmail = template?.includesEmailInRedirect ?? false
        (settings.clientID, settings.verifiesEmail, settings.isAskedFor) = (client?.clientID, true, true)
        let ticket = IssuedTicket(
            .passwordChange, userID: user.id, email: email, settings: settings,
            lifetime: template?.urlLifetime ?? EmailTemplate.standardLifetime, services)
        let mail = try await services.messages.prepare(
            ResetEmailMessage(url: ticket.url), to: recipient, expiresAt: ticket.ticket.expiresAt)
        guard let mail else {
            trail.note { $0.details["reason"] = "the tenant sends no such mails, or has no e-mail provider" }
            return nil
        }
        return (ticket, mail)
    }

    /// Who has the name: here, or in the custom database that has the users or that they come over from.
    private func user(_ request: PasswordResetRequest, _ client: Client?, _ trail: LogTrail) async throws -> User? {
        let connection = try await services.configuration.connections().first { $0.name == request.connection }
        guard let connection, CustomDatabase(connection: connection) != nil else {
            return try await services.stores.database.readOnce { transaction in
                try UserStore.account(connection: request.connection, identifier: request.identifier, in: transaction)
            }
        }
        do {
            return try await DatabaseChanges(
                services: services, connection: connection,
                setting: DatabaseScripts.Setting(client: client, trail: trail)
            ).user(request.identifier)
        } catch let refusal as DatabaseChanges.Refusal {
            trail.note { $0.details["reason"] = .string(refusal.description) }
            return nil
        }
    }
}

extension LogTrail {
    fileprivate var reason: String { facts.details["reason"]?.string ?? "for a reason that is not known" }
}
