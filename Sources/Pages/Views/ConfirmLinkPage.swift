/// Asks whether what a mail's link is about may be done, and does nothing yet: mail servers open links too, and whoever was sent one
/// by somebody else notices it now.
///
/// Posts `ticket`, and `_csrf` where there is one.
package struct ConfirmLinkPage: Page {
    package static let template = "confirm-link"

    /// What the link is about.
    package enum Purpose: Sendable {
        /// Signing in as whoever has the address.
        case login(applicationName: String, csrfToken: String)
        /// Proving that the address is the user's.
        case emailVerification
    }

    private let purpose: Purpose
    private let path, ticket, address: String
    private let applicationLogoURL: String?
    private let problem: FormProblem?

    /// - Parameters:
    ///   - path: where the form goes.
    ///   - ticket: what the link carries.
    ///   - problem: why the form comes back.
    package init(
        _ purpose: Purpose, path: String, ticket: String, address: String, applicationLogoURL: String? = nil,
        problem: FormProblem? = nil
    ) {
        (self.purpose, self.path, self.ticket, self.address) = (purpose, path, ticket, address)
        (self.applicationLogoURL, self.problem) = (applicationLogoURL, problem)
    }

    package var arguments: [String: String] {
        switch purpose {
        case .login(let applicationName, _): ["application": applicationName, "address": address]
        case .emailVerification: ["address": address]
        }
    }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let (key, csrfToken): (String, String?) =
            switch purpose {
            case .login(_, let csrfToken): ("login", csrfToken)
            case .emailVerification: ("email", nil)
            }
        let arguments = arguments.merging(["tenant": context.chrome.tenantName]) { $1 }
        func text(_ suffix: String) -> PageValue {
            .text(context.texts.text(Self.template, key + suffix, arguments))
        }
        return [
            "title": text(""), "lede": text("Lede"), "hint": text("Hint"), "submit": text("Submit"),
            "action": .text(SafeURL.link(path) ?? ""),
            "ticket": .text(ticket),
            "csrfToken": .optional(csrfToken),
            "alert": .optional(problem.map { context.texts.text("problems", $0.key) }),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
        ]
    }
}
