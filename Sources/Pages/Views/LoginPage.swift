/// Asks for email address and password.
///
/// Posts `state`, `_csrf`, `username`, `password` and `action=default` to `/u/login?state=…`.
package struct LoginPage: Page {
    package static let template = "login"
    private let form: CredentialsForm
    private let applicationName: String
    private let forgotPath: String?

    /// - Parameters:
    ///   - email: what the user wrote before, or the request's `login_hint`.
    ///   - problem: why the form comes back.
    ///   - signupPath: the signup page, where users may sign up.
    ///   - forgotPath: where users ask for a new password.
    package init(
        state: String,
        csrfToken: String,
        applicationName: String,
        applicationLogoURL: String? = nil,
        email: String = "",
        problem: FormProblem? = nil,
        signupPath: String? = nil,
        forgotPath: String? = nil
    ) {
        self.forgotPath = forgotPath
        self.applicationName = applicationName
        form = CredentialsForm(
            action: "/u/login",
            state: state,
            csrfToken: csrfToken,
            email: email,
            problem: problem,
            applicationLogoURL: applicationLogoURL,
            otherPath: signupPath,
            passwordDescription: nil
        )
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        form.content(context).merging(["forgotPath": .optional(forgotPath.flatMap(SafeURL.link))]) { $1 }
    }
}
