/// Asks for an address, and then for the code that was sent there; or says that a link was sent there.
///
/// Posts `state`, `_csrf`, `address` and `action`: `send`, or with `code` `verify`.
package struct CodeLoginPage: Page {
    package static let template = "login-code"
    private let path, state, csrfToken, applicationName, address: String
    private let applicationLogoURL: String?
    private let isNumber, sendsLinks, isSent: Bool
    private let problem: FormProblem?

    /// - Parameters:
    ///   - path: where the form goes.
    ///   - isNumber: whether the address is a phone number.
    ///   - address: what the user wrote before.
    ///   - sendsLinks: whether a link is sent, not a code.
    ///   - isSent: whether it was sent to the address.
    ///   - problem: why the form comes back.
    package init(
        path: String, state: String, csrfToken: String, applicationName: String, applicationLogoURL: String? = nil,
        isNumber: Bool = false, sendsLinks: Bool = false, address: String = "", isSent: Bool = false,
        problem: FormProblem? = nil
    ) {
        (self.path, self.state, self.csrfToken) = (path, state, csrfToken)
        (self.applicationName, self.applicationLogoURL) = (applicationName, applicationLogoURL)
        (self.isNumber, self.sendsLinks, self.isSent) = (isNumber, sendsLinks, isSent)
        (self.address, self.problem) = (address, problem)
    }

    package var arguments: [String: String] { ["application": applicationName, "address": address] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "action": .text(SafeURL.link(path) ?? ""),
            "state": .text(state),
            "csrfToken": .text(csrfToken),
            "address": .text(address),
            "lede": .text(context.texts.text(Self.template, sendsLinks ? "ledeLink" : "lede", arguments)),
            "asksCode": .flag(isSent && !sendsLinks),
            "asksAddress": .flag(!isSent),
            "linkSent": .flag(isSent && sendsLinks),
            "isNumber": .flag(isNumber),
            "isMail": .flag(!isNumber),
            "problem": .optional(problem.map { context.texts.text("problems", $0.key) }),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
        ]
    }
}
