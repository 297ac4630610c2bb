import Foundation
import OAuth
import Storage

/// Proving that an e-mail address is its user's, by a link that was sent there.
package struct EmailVerification: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// A ticket with its mail, on their way into the database.
    package struct Prepared: Sendable {
        let ticket: IssuedTicket
        let mail: QueuedMail

        /// Makes both, or neither.
        package func write(in transaction: any SQLTransaction) throws {
            try ticket.write(in: transaction)
            try MailStore.enqueue(mail, in: transaction)
        }
    }

    /// Writes the mail that asks a user to verify their address. Do it before the transaction's body.
    /// - Returns: nil where the address is verified, there is none, or the tenant sends no such mails.
    package func prepare(
        for user: User, client: Client?, organization: Organization? = nil
    ) async throws -> Prepared? {
        guard !user.isEmailVerified, let recipient = MessageRecipient(user, client: client, organization: organization),
            try await services.messages.sends(.verifyEmail)
        else { return nil }
        // Where another database has the users, the link does nothing without its script.
        let database = try await connection(of: user)?.externalDatabase
        guard database.map({ $0.source(of: .verify) != nil }) ?? true else { return nil }
        let template = try await services.messages.template(.verifyEmail)
        var settings = TicketSettings()
        settings.resultURL = try await services.messages.resultURL(of: template, for: recipient)
        settings.includesEmail = template?.includesEmailInRedirect ?? false
        (settings.clientID, settings.organizationID) = (client?.clientID, organization?.id)
        let ticket = IssuedTicket(
            .emailVerification, userID: user.id, email: user.email, settings: settings,
            lifetime: template?.urlLifetime ?? EmailTemplate.standardLifetime, services)
        let mail = try await services.messages.prepare(
            VerifyEmailMessage(url: ticket.url), to: recipient, expiresAt: ticket.ticket.expiresAt)
        return mail.map { Prepared(ticket: ticket, mail: $0) }
    }

    /// What a ticket came to.
    package struct Outcome: Sendable {
        package let result: TicketResult
        /// Where the browser goes; nil for a page.
        package let redirect: String?
        /// The application that it is about.
        package let client: Client?
    }

    /// A link that somebody has opened.
    package enum Opening: Sendable {
        case done(Outcome)
        /// The user is asked first, and nothing is used yet.
        /// - Parameter resultURL: where the browser goes afterwards; nil where it stays.
        case ask(email: String, resultURL: RedirectURI?)
    }

    /// Opens a link. In the browser that its user is signed in with the address is verified at once; wherever it is opened
    /// otherwise, by a mail scanner or by somebody whose address another has signed up with, somebody has to say so.
    package func open(_ secret: Secret, browser: Browser) async throws -> Opening {
        let (now, session) = (services.now(), try await browser.session(services))
        let (found, owner) = try await services.stores.database.read { transaction in
            let ticket = try TicketStore.find(secret.digest, .emailVerification, in: transaction)
            return (ticket, try ticket.flatMap { try UserStore.primary(of: $0.userID, in: transaction) })
        }
        guard let ticket = found, let email = ticket.email, ticket.result(at: now) == .success,
            session?.userID != owner ?? ticket.userID
        else { return .done(try await verify(secret)) }
        let resultURL = TicketSettings(ticket.settings).resultURL.flatMap { RedirectURI($0) }
        return .ask(email: email, resultURL: resultURL)
    }

    /// Uses a ticket. An address that the user has exchanged meanwhile is not verified.
    package func verify(_ secret: Secret) async throws -> Outcome {
        let (trail, store, now) = (LogTrail(), services.stores.tickets, services.now())
        guard let ticket = try await store.find(secret.digest, .emailVerification) else {
            services.log(.failedVerification, trail, description: "There is no such ticket.")
            return Outcome(result: .unknown, redirect: nil, client: nil)
        }
        let settings = TicketSettings(ticket.settings)
        trail.note { facts in
            (facts.userID, facts.userName, facts.clientID) = (ticket.userID, ticket.email, settings.clientID)
        }
        let client = try await client(settings)
        let welcome = try await welcome(ticket, client)
        try await verifyElsewhere(ticket, client, trail)
        let result = try await services.stores.database.write { transaction -> TicketResult in
            guard let used = try TicketStore.use(secret.digest, .emailVerification, at: now, in: transaction) else {
                let found = try TicketStore.find(secret.digest, .emailVerification, in: transaction)
                return found?.result(at: now) == .expired ? .expired : .used
            }
            try UserStore.lock(used.userID, in: transaction)
            guard var user = try UserStore.account(used.userID, in: transaction), user.email == used.email else {
                return .used
            }
            guard !user.isEmailVerified else { return .success }
            (user.isEmailVerified, user.updatedAt) = (true, now)
            try UserStore.replace(user, in: transaction)
            if let welcome { try MailStore.enqueue(welcome, in: transaction) }
            return .success
        }
        services.log(
            result == .success ? .verification : .failedVerification, trail,
            description: result == .success ? "The e-mail address is verified" : result.message)
        return Outcome(
            result: result, redirect: settings.redirect(email: ticket.email, result), client: client)
    }

    /// Tells another database that has the user, before the ticket is used: where its script fails, the link is still good.
    /// - Throws: ``OAuthError``.
    private func verifyElsewhere(_ ticket: Ticket, _ client: Client?, _ trail: LogTrail) async throws {
        let user = try await services.stores.database.readOnce { try UserStore.account(ticket.userID, in: $0) }
        guard let user, let email = ticket.email, user.email == email, !user.isEmailVerified,
            ticket.result(at: services.now()) == .success, let connection = try await connection(of: user)
        else { return }
        do {
            try await DatabaseChanges(
                services: services, connection: connection,
                setting: DatabaseScripts.Setting(client: client, trail: trail)
            ).verify(email, of: user)
        } catch let refusal as DatabaseChanges.Refusal {
            services.log(.failedVerification, trail, description: refusal.description)
            throw refusal.error
        }
    }

    private func connection(of user: User) async throws -> Connection? {
        try await services.configuration.connections().first { $0.name == user.connection }
    }

    private func client(_ settings: TicketSettings) async throws -> Client? {
        guard let id = settings.clientID else { return nil }
        return try await services.configuration.client(id)?.client
    }

    /// The mail that greets who has verified their address for the first time.
    private func welcome(_ ticket: Ticket, _ client: Client?) async throws -> QueuedMail? {
        guard try await services.messages.sends(.welcomeEmail) else { return nil }
        let user = try await services.stores.database.readOnce { try UserStore.account(ticket.userID, in: $0) }
        guard var user, !user.isEmailVerified else { return nil }
        user.isEmailVerified = true
        guard let recipient = MessageRecipient(user, client: client) else { return nil }
        return try await services.messages.prepare(
            WelcomeEmailMessage(), to: recipient, expiresAt: services.now().addingTimeInterval(86_400))
    }
}
