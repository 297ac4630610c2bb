/// What the forms that ask for an email address and a password have in common.
struct CredentialsForm {
    let action: String
    let state: String
    let csrfToken: String
    let email: String
    let problem: FormProblem?
    let applicationLogoURL: String?
    /// The page for those who have an account, or have none yet.
    let otherPath: String?
    /// The id of what always describes the password field.
    let passwordDescription: String?

    /// The values of the form, with each problem beside what it is about.
    func content(_ context: PageContext) -> [String: PageValue] {
        let message = problem.map { $0.words ?? context.texts.text("problems", $0.key) }
        let subject = problem?.subject
        let emailDescription: String? =
            switch subject {
            case .credentials: "alert"
            case .email: "email-problem"
            case .form, .password, nil: nil
            }
        let passwordProblem: String? =
            switch subject {
            case .credentials: "alert"
            case .password: "password-problem"
            case .form, .email, nil: nil
            }
        let described = [passwordProblem, passwordDescription].compactMap(\.self).joined(separator: " ")
        let startsAtEmail = email.isEmpty || subject == .email
        return [
            "action": .text("\(action)?state=\(SafeURL.queryValue(state))"),
            "state": .text(state),
            "csrfToken": .text(csrfToken),
            "email": .text(email),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
            "otherPath": .optional(otherPath.flatMap(SafeURL.link)),
            "alert": .optional(subject == .form || subject == .credentials ? message : nil),
            "emailProblem": .optional(subject == .email ? message : nil),
            "emailDescribedBy": .optional(emailDescription),
            "passwordProblem": .optional(subject == .password ? message : nil),
            "passwordInvalid": .flag(passwordProblem != nil),
            "passwordDescribedBy": .optional(described.isEmpty ? nil : described),
            "focusEmail": .flag(startsAtEmail),
            "focusPassword": .flag(!startsAtEmail),
        ]
    }
}
