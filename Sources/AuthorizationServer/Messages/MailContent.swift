import Foundation

/// What a mail says. It is sealed as long as it waits, for its links give power.
package struct MailContent: Sendable, Hashable, Codable {
    package let from: MailAddress
    package let recipient: MailAddress
    /// One line.
    package let subject: String
    package let html: String
    package let text: String

    package init(from: MailAddress, to recipient: MailAddress, subject: String, html: String, text: String) {
        (self.from, self.recipient, self.html, self.text) = (from, recipient, html, text)
        self.subject = String(subject.onOneLine.trimmingCharacters(in: .whitespaces).prefix(300))
    }
}
