/// Asks for email address and password.
///
/// Posts `state`, `_csrf`, `username`, `password` and `action=default` to `/u/login?state=…`, or `connection` in place of the
/// last three.
package struct LoginPage: Page {
    package static let template = "login"
    private let form: CredentialsForm
    private let applicationName: String
    private let state: String
    private let buttons: [ConnectionButton]
    private let hasForm: Bool
    private let forgotPath: String?
    private let passwordField: PasswordField

    /// Whether the form asks for a password beside the address.
    package enum PasswordField: Sendable {
        case required
        /// Some users are sent on by the domain of their address, before they have written any.
        case optional
        /// All users are.
        case absent
    }

    /// - Parameters:
    ///   - email: what the user wrote before, or the request's `login_hint`.
    ///   - problem: why the form comes back.
    ///   - signupPath: the signup page, where users may sign up.
    ///   - buttons: the connections whose users sign in somewhere else.
    ///   - hasForm: whether anybody signs in by writing an address or a name.
    ///   - passwordField: whether a password is asked for beside it.
    ///   - forgotPath: where users ask for a new password.
    package init(
        state: String,
        csrfToken: String,
        applicationName: String,
        applicationLogoURL: String? = nil,
        email: String = "",
        problem: FormProblem? = nil,
        signupPath: String? = nil,
        buttons: [ConnectionButton] = [],
        hasForm: Bool = true,
        passwordField: PasswordField = .required,
        forgotPath: String? = nil
    ) {
        (self.state, self.buttons, self.hasForm, self.passwordField) = (state, buttons, hasForm, passwordField)
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
            passwordDescription: passwordField == .optional ? "password-hint" : nil
        )
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["hasForm"] = .flag(hasForm)
        content["connections"] = ConnectionButton.content(buttons, state: state, hasForm: hasForm, context)
        content["hasPassword"] = .flag(passwordField != .absent)
        content["isPasswordRequired"] = .flag(passwordField == .required)
        content["isPasswordOptional"] = .flag(passwordField == .optional)
        if passwordField == .absent { content["focusEmail"] = .flag(true) }
        content["forgotPath"] = .optional(forgotPath.flatMap(SafeURL.link))
        return content
    }
}
