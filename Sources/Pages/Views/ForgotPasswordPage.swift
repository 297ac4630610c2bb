/// Asks whose password is to be changed.
///
/// Posts `state`, `_csrf`, `email` and `action=default` to `/u/reset-password/request?state=…`.
package struct ForgotPasswordPage: Page {
    package static let template = "forgot-password"
    private let state, csrfToken, applicationName, email, loginPath: String
    private let applicationLogoURL: String?
    private let problem: FormProblem?

    /// - Parameters:
    ///   - email: what the user wrote before.
    ///   - problem: why the form comes back.
    ///   - loginPath: the login page.
    package init(
        state: String, csrfToken: String, applicationName: String, applicationLogoURL: String? = nil,
        email: String = "", problem: FormProblem? = nil, loginPath: String
    ) {
        (self.state, self.csrfToken, self.applicationName) = (state, csrfToken, applicationName)
        (self.applicationLogoURL, self.email, self.problem) = (applicationLogoURL, email, problem)
        self.loginPath = loginPath
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let message = problem.map { context.texts.text("problems", $0.key) }
        let isEmail = problem?.subject == .email
        return [
            "action": .text("/u/reset-password/request?state=\(SafeURL.queryValue(state))"), "state": .text(state),
            "csrfToken": .text(csrfToken), "email": .text(email),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
            "alert": .optional(isEmail ? nil : message), "emailProblem": .optional(isEmail ? message : nil),
            "otherPath": .optional(SafeURL.link(loginPath)),
        ]
    }
}
