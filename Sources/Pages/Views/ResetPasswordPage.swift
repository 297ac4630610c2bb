/// Asks for a new password, behind the link of a mail.
///
/// Posts `_csrf`, `password` and `password_again` to `/u/reset-verify?ticket=…`.
package struct ResetPasswordPage: Page {
    package static let template = "reset-password"
    private let ticket, csrfToken: String
    private let email: String?
    private let problem: FormProblem?
    private let rules: [PasswordRule]
    private let areRulesChecked: Bool

    /// - Parameters:
    ///   - email: whose password it is.
    ///   - problem: why the form comes back; the rules of `passwordTooWeak` take the place of `passwordRules`.
    ///   - passwordRules: the connection's password policy, shown unchecked.
    package init(
        ticket: String, csrfToken: String, email: String?, problem: FormProblem? = nil, passwordRules: [PasswordRule]
    ) {
        (self.ticket, self.csrfToken, self.email, self.problem) = (ticket, csrfToken, email, problem)
        if case .passwordTooWeak(let checked) = problem {
            (rules, areRulesChecked) = (checked, true)
        } else {
            (rules, areRulesChecked) = (passwordRules, false)
        }
    }

    package var arguments: [String: String] { ["user": email ?? ""] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let message = problem.map { context.texts.text("problems", $0.key) }
        let isForm = problem?.subject == .form
        let isPassword = problem?.subject == .password && problem != .passwordMismatch
        return [
            "action": .text("/u/reset-verify?ticket=\(SafeURL.queryValue(ticket))"), "csrfToken": .text(csrfToken),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
            "email": .optional(email), "alert": .optional(isForm ? message : nil),
            "passwordProblem": .optional(isPassword ? message : nil),
            "againProblem": .optional(problem == .passwordMismatch ? message : nil),
            "hasRules": .flag(!rules.isEmpty), "rulesChecked": .flag(areRulesChecked),
            "rules": .list(
                rules.map { ["rule": .text($0.text), "satisfied": .flag(areRulesChecked && $0.satisfied)] }),
        ]
    }
}
