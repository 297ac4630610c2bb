import Foundation
import Logging
import OAuth
import Storage

/// Writes mails. What it makes is put down with ``MailStore/enqueue(_:in:)`` in the transaction that is the mail's reason;
/// nobody waits for a mail server.
package struct Messages: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// How mail leaves.
    package enum Way: Sendable, Equatable {
        case provider(EmailProvider)
        /// The development inbox.
        case inbox
        case none
    }

    /// Where mails go now.
    package func way() async throws -> Way {
        let stored = try await services.stores.database.readOnce { try EmailProviderStore.find(in: $0) }
        if let provider = stored?.provider, provider.isEnabled { return .provider(provider) }
        return services.keepsMail && stored == nil ? .inbox : .none
    }

    /// The template of a kind, and whether the tenant has set it.
    package func template(_ kind: MessageKind) async throws -> EmailTemplate? {
        try await services.stores.database.readOnce { try EmailTemplateStore.find(kind, in: $0) }
    }

    /// Whether mails of a kind are sent at all.
    package func sends(_ kind: MessageKind) async throws -> Bool {
        guard try await way() != .none else { return false }
        return try await template(kind)?.isEnabled ?? kind.isStandard
    }

    /// Writes a message. Do it before the transaction's body, which may run twice.
    /// - Parameter expiresAt: when its link or code is of no use any more.
    /// - Returns: nil where the tenant has turned such mails off, or has nothing to send them with.
    package func prepare(
        _ message: some Message, to recipient: MessageRecipient, expiresAt: Date
    ) async throws -> QueuedMail? {
        let kind = type(of: message).kind
        let (way, template) = (try await way(), try await self.template(of: message))
        guard template?.isEnabled ?? kind.isStandard, let to = MailAddress(recipient.email) else { return nil }
        guard way != .none else {
            services.logger.warning(
                "no mail is sent: set an e-mail provider (PATCH /api/v2/emails/provider, or emailProvider of the tenant file)",
                metadata: ["kind": "\(kind.rawValue)"])
            return nil
        }
        let settings = try await services.configuration.settings()
        let variables = MessageVariables(settings: settings, issuer: services.issuer).all(message, to: recipient)
        guard let content = write(kind, template, variables, to: to, sender: sender(way, settings)) else { return nil }
        return QueuedMail(
            id: RandomBytes.alphanumeric(32), kind: kind, recipient: to.address, userID: recipient.user?.id,
            sealedContent: try services.secret.box.seal(JSON.text(content)), state: way == .inbox ? .kept : .waiting,
            createdAt: services.now().storable, expiresAt: expiresAt.storable)
    }

    /// A text message for the development inbox.
    /// - Returns: nil where the inbox is closed.
    func keep(_ text: String, to number: String, from sender: String?, expiresAt: Date) async throws -> QueuedMail? {
        guard try await way() == .inbox else { return nil }
        let content = MailContent(
            from: MailAddress(number: sender ?? services.issuer.domain), to: MailAddress(number: number),
            subject: "Text message", html: "<p>\(text.escapedForHTML)</p>", text: text)
        return QueuedMail(
            id: RandomBytes.alphanumeric(32), kind: .passwordless, recipient: number, userID: nil,
            sealedContent: try services.secret.box.seal(JSON.text(content)), state: .kept,
            createdAt: services.now().storable, expiresAt: expiresAt.storable)
    }

    /// Where a template leads the user in the end: its Liquid with its values; nil where it says nothing that is an address.
    package func resultURL(of template: EmailTemplate?, for recipient: MessageRecipient) async throws -> String? {
        guard let liquid = template?.resultURL, let parsed = try? LiquidTemplate(liquid) else { return nil }
        let settings = try await services.configuration.settings()
        let variables = MessageVariables(settings: settings, issuer: services.issuer).common(to: recipient)
        let text = try? parsed.render(variables, as: .text, now: services.now())
        guard let text, let uri = RedirectURI(text), ["http", "https"].contains(uri.scheme) else { return nil }
        return text
    }

    private func template(of message: some Message) async throws -> EmailTemplate? {
        if let own = message.template { return own }
        return try await template(type(of: message).kind)
    }

    /// The sender where the template names none. Without a provider nothing leaves this machine.
    private func sender(_ way: Way, _ settings: TenantSettings) -> MailAddress? {
        if case .provider(let provider) = way { return MailAddress(provider.defaultFromAddress) }
        let host = services.issuer.domain.prefix { $0 != ":" }
        return MailAddress(
            "\(settings.friendlyName ?? "Portico") <no-reply@\(host.contains(".") ? host : "example.com")>")
    }

    private func write(
        _ kind: MessageKind, _ template: EmailTemplate?, _ variables: JSONObject, to recipient: MailAddress,
        sender: MailAddress?
    ) -> MailContent? {
        if let template {
            do {
                return try write(template, variables, to: recipient, sender: sender)
            } catch {
                services.logger.error(
                    "the tenant's e-mail template cannot be used, the standard one is sent",
                    metadata: ["template": "\(kind.rawValue)", "cause": "\(error)"])
            }
        }
        let now = services.now()
        guard let standard = StandardTemplate.all[kind], let sender,
            let subject = try? standard.subject.render(variables, as: .text, now: now),
            let html = try? standard.html.render(
                variables.merging(["subject": .string(subject)]) { $1 }, as: .html, now: now),
            let text = try? standard.text.render(variables, as: .text, now: now)
        else {
            services.logger.error("a mail cannot be written", metadata: ["template": "\(kind.rawValue)"])
            return nil
        }
        return MailContent(from: sender, to: recipient, subject: subject, html: html, text: text)
    }

    private func write(
        _ template: EmailTemplate, _ variables: JSONObject, to recipient: MailAddress, sender: MailAddress?
    ) throws(LiquidProblem) -> MailContent {
        let now = services.now()
        func text(_ liquid: String) throws(LiquidProblem) -> String {
            try LiquidTemplate(liquid).render(variables, as: .text, now: now)
        }
        let from = try template.from.map(text).flatMap(MailAddress.init) ?? sender
        guard let from else { throw LiquidProblem(line: 1, message: "there is no sender") }
        let html = try LiquidTemplate(template.body).render(variables, as: .html, now: now)
        return MailContent(
            from: from, to: recipient, subject: try text(template.subject), html: html, text: PlainText.of(html))
    }
}

extension MessageKind {
    /// Whether such mails are sent where the tenant has said nothing.
    package var isStandard: Bool { isSent && self != .welcomeEmail }
}

extension Services {
    /// What mails are written with.
    package var messages: Messages { Messages(services: self) }
}
