/// One mail of the development inbox, with its links. What the mail itself looks like stands in a frame that may do nothing.
package struct InboxMailPage: Page {
    package static let template = "inbox-mail"
    private let sender, recipient, subject, time, text, framePath: String
    private let links: [String]

    /// - Parameters:
    ///   - text: the mail without HTML.
    ///   - links: the addresses in it.
    ///   - framePath: where its HTML is.
    package init(
        sender: String, recipient: String, subject: String, time: String, text: String, links: [String],
        framePath: String
    ) {
        (self.sender, self.recipient, self.subject, self.time) = (sender, recipient, subject, time)
        (self.text, self.links, self.framePath) = (text, links, framePath)
    }

    package var arguments: [String: String] { ["subject": subject] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "sender": .text(sender), "recipient": .text(recipient), "subject": .text(subject), "time": .text(time),
            "plain": .text(text), "framePath": .text(framePath), "hasLinks": .flag(!links.isEmpty),
            "links": .list(
                links.compactMap { link in SafeURL.link(link).map { ["address": .text($0), "shown": .text(link)] } }),
        ]
    }
}
