/// Asks which account the user wants to go on with.
///
/// Posts `state`, `_csrf`, and `action=continue` or `action=another` to `/u/select-account?state=…`.
package struct SelectAccountPage: Page {
    package static let template = "select-account"
    private let state: String
    private let csrfToken: String
    private let applicationName: String
    private let applicationLogoURL: String?
    private let userName: String
    private let address: String?
    private let problem: FormProblem?

    /// - Parameters:
    ///   - userName: who has the browser's session.
    ///   - address: the e-mail address or user name that tells two accounts of one person apart.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, applicationLogoURL: String? = nil, userName: String,
        address: String? = nil, problem: FormProblem? = nil
    ) {
        (self.state, self.csrfToken) = (state, csrfToken)
        (self.applicationName, self.applicationLogoURL) = (applicationName, applicationLogoURL)
        (self.userName, self.address, self.problem) = (userName, address, problem)
    }

    package var arguments: [String: String] { ["application": applicationName, "user": userName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "action": .text("/u/select-account?state=\(SafeURL.queryValue(state))"),
            "state": .text(state),
            "csrfToken": .text(csrfToken),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
            "address": .optional(address == userName ? nil : address),
            "alert": .optional(problem.map { context.texts.text("problems", $0.key) }),
        ]
    }
}
