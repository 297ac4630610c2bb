/// Says what has become of a mail's link, or that a mail is on its way.
package struct MailNoticePage: Page {
    package static let template = "mail-notice"

    /// What it says; each has its texts.
    package enum Notice: String, Sendable, CaseIterable {
        case resetRequested, passwordChanged, emailVerified, unblocked
        case linkUsed, linkExpired, linkUnknown, linkGone, otherBrowser
    }

    private let notice: Notice
    private let backPath: String?

    /// - Parameter backPath: where the user goes on: a path of this server, or the application's own address.
    package init(_ notice: Notice, backPath: String? = nil) { (self.notice, self.backPath) = (notice, backPath) }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "title": .text(context.texts.text(Self.template, notice.rawValue)),
            "lede": .text(context.texts.text(Self.template, notice.rawValue + "Lede")),
            "backPath": .optional(backPath.flatMap(SafeURL.link)),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
        ]
    }
}
