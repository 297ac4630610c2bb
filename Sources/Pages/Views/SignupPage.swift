/// Asks for the email address and password of a new account.
///
/// Posts `state`, `_csrf`, `email`, `password` and `action=default` to `/u/signup?state=…`.
package struct SignupPage: Page {
    package static let template = "signup"
    private let form: CredentialsForm
    private let applicationName: String
    private let rules: [PasswordRule]
    private let areRulesChecked: Bool
    private let isAddressFixed: Bool
    private let state: String
    private let buttons: [ConnectionButton]

    /// - Parameters:
    ///   - email: what the user wrote before, or the request's `login_hint`.
    ///   - isAddressFixed: whether the account can be made with this address alone.
    ///   - problem: why the form comes back; the rules of `passwordTooWeak` take the place of `passwordRules`.
    ///   - passwordRules: the connection's password policy, shown unchecked.
    ///   - loginPath: the login page.
    ///   - buttons: the connections whose users need no account of their own here.
    package init(
        state: String,
        csrfToken: String,
        applicationName: String,
        applicationLogoURL: String? = nil,
        email: String = "",
        isAddressFixed: Bool = false,
        problem: FormProblem? = nil,
        passwordRules: [PasswordRule] = [],
        loginPath: String,
        buttons: [ConnectionButton] = []
    ) {
        (self.applicationName, self.isAddressFixed) = (applicationName, isAddressFixed)
        (self.state, self.buttons) = (state, buttons)
        if case .passwordTooWeak(let checked) = problem {
            (rules, areRulesChecked) = (checked, true)
        } else {
            (rules, areRulesChecked) = (passwordRules, false)
        }
        form = CredentialsForm(
            action: "/u/signup",
            state: state,
            csrfToken: csrfToken,
            email: email,
            problem: problem,
            applicationLogoURL: applicationLogoURL,
            otherPath: loginPath,
            passwordDescription: rules.isEmpty ? nil : "password-rules"
        )
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["isAddressFixed"] = .flag(isAddressFixed)
        content["connections"] = ConnectionButton.content(buttons, state: state, hasForm: true, context)
        content["hasRules"] = .flag(!rules.isEmpty)
        content["rulesChecked"] = .flag(areRulesChecked)
        content["rules"] = .list(
            rules.map { ["rule": .text($0.text), "satisfied": .flag(areRulesChecked && $0.satisfied)] }
        )
        return content
    }
}
