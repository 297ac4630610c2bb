import Foundation
import Storage

/// What takes a mail to a mail server.
package protocol MailTransport: Sendable {
    /// Returns once the server has taken the mail.
    /// - Throws: ``MailFailure``.
    func send(_ mail: OutgoingMail, through server: MailServer) async throws(MailFailure)
}

/// A mail on its last step.
package struct OutgoingMail: Sendable {
    package let content: MailContent
    /// Without angle brackets; the same at every try.
    package let messageID: String
    package let date: Date
    /// Headers that the provider's settings add.
    package let headers: [String: String]

    package init(content: MailContent, messageID: String, date: Date, headers: [String: String] = [:]) {
        (self.content, self.messageID, self.date, self.headers) = (content, messageID, date, headers)
    }
}

/// The server that is asked, and how.
package struct MailServer: Sendable {
    package let provider: EmailProvider
    package let password: String?
    /// What this server calls itself (RFC 5321 §4.1.1.1).
    package let greeting: String

    package init(provider: EmailProvider, password: String?, greeting: String) {
        (self.provider, self.password, self.greeting) = (provider, password, greeting)
    }
}

/// Why a mail was not taken.
package struct MailFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// For the log: what happened, and what to mend; never what the mail says.
    package let description: String
    /// Whether trying again is of no use.
    package let isPermanent: Bool

    package init(_ description: String, isPermanent: Bool = false) {
        (self.description, self.isPermanent) = (description, isPermanent)
    }
}

/// For processes that send no mail, such as the commands.
package struct NoMailTransport: MailTransport {
    package init() {}

    package func send(_ mail: OutgoingMail, through server: MailServer) async throws(MailFailure) {
        throw MailFailure("this process sends no mail")
    }
}
