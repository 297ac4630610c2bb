/// Lists the mails of the development inbox.
package struct InboxPage: Page {
    package static let template = "inbox"
    private let mails: [Mail]

    /// A line of the list.
    package struct Mail: Sendable {
        let path, recipient, subject, time: String

        /// - Parameters:
        ///   - path: the mail's own page.
        ///   - time: when it was written, for people.
        package init(path: String, recipient: String, subject: String, time: String) {
            (self.path, self.recipient, self.subject, self.time) = (path, recipient, subject, time)
        }
    }

    package init(mails: [Mail]) { self.mails = mails }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "isEmpty": .flag(mails.isEmpty),
            "mails": .list(
                mails.map { mail in
                    [
                        "path": .text(mail.path), "recipient": .text(mail.recipient), "subject": .text(mail.subject),
                        "time": .text(mail.time),
                    ]
                }),
        ]
    }
}
