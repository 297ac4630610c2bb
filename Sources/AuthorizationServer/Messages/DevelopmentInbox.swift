import Foundation
import OAuth
import Storage

/// The mails that nothing has sent, because nothing can and the server is in development mode.
package struct DevelopmentInbox: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// A mail as a developer sees it.
    package struct Letter: Sendable {
        package let id: String
        package let kind: MessageKind
        package let content: MailContent
        package let createdAt: Date

        /// The addresses in the text, in their order, each once.
        package var links: [String] {
            var links: [String] = []
            for match in content.text.matches(of: /https?:\/\/[^\s<>"']+/) where !links.contains(String(match.output)) {
                links.append(String(match.output))
            }
            return links
        }

        /// The mail for programs.
        package var document: JSONObject {
            [
                "id": .string(id), "kind": .string(kind.rawValue), "from": .string(content.from.address),
                "to": .string(content.recipient.address), "subject": .string(content.subject),
                "text": .string(content.text), "html": .string(content.html), "links": JSONValue(links),
                "created_at": .string(createdAt.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            ]
        }
    }

    /// Whether mails come here now.
    package func isOpen() async throws -> Bool { try await services.messages.way() == .inbox }

    /// The mails, the newest first.
    /// - Parameter recipient: whose; nil for everybody's.
    package func letters(to recipient: String? = nil) async throws -> [Letter] {
        try await waitForRequests()
        let mails = try await services.stores.mail.kept(most: 200)
        return try mails.filter { recipient == nil || $0.recipient == recipient?.lowercased() }.compactMap(letter)
    }

    /// What is still to be looked up was asked for before, and its mails belong here. The background may be at it already.
    private func waitForRequests() async throws {
        for _ in 0..<100 {
            while try await PasswordResetRequests(services: services).answerDue() {}
            guard try await services.stores.passwordResetRequests.isAny() else { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// One mail, or nil where there is none.
    package func letter(_ id: String) async throws -> Letter? {
        try await services.stores.mail.kept(id).flatMap(letter)
    }

    /// Throws every mail away.
    package func empty() async throws { try await services.stores.mail.deleteKept() }

    private func letter(_ mail: QueuedMail) throws -> Letter? {
        guard let sealed = mail.sealedContent else { return nil }
        let content = try JSON.decode(MailContent.self, from: services.secret.box.open(sealed))
        return Letter(id: mail.id, kind: mail.kind, content: content, createdAt: mail.createdAt)
    }
}
