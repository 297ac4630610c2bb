/// Lets somebody in again whom too many failed logins keep out: asks first, since mail servers open links too.
///
/// Posts `ticket` to `/u/unblock`.
package struct UnblockPage: Page {
    package static let template = "unblock"

    /// How far it is.
    package enum Stage: Sendable {
        case ask(ticket: String)
        case done
        /// The link is used, expired, or none.
        case expired
    }

    private let stage: Stage

    package init(_ stage: Stage) { self.stage = stage }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let (key, ticket): (String, String?) =
            switch stage {
            case .ask(let ticket): ("ledeAsk", ticket)
            case .done: ("ledeDone", nil)
            case .expired: ("ledeExpired", nil)
            }
        return [
            "lede": .text(context.texts.text(Self.template, key, ["tenant": context.chrome.tenantName])),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
            "ticket": .optional(ticket),
        ]
    }
}
