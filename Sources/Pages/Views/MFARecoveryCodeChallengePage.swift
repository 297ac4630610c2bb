/// Asks for the recovery code of a user who has lost the app.
///
/// Posts `state`, `_csrf`, `code` and `action=default` to `/u/mfa-recovery-code-challenge?state=…`.
package struct MFARecoveryCodeChallengePage: Page {
    package static let template = "mfa-recovery-code-challenge"
    private let form: TransactionForm
    private let applicationName: String
    private let offersOTP: Bool

    /// - Parameters:
    ///   - offersOTP: whether a code of the app will do as well.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil, offersOTP: Bool = false,
        problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-recovery-code-challenge", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.offersOTP) = (applicationName, offersOTP)
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["otpPath"] = .optional(
            offersOTP ? "/u/mfa-otp-challenge?state=\(SafeURL.queryValue(form.state))" : nil)
        content["isInvalid"] = .flag(form.problem == .wrongRecoveryCode)
        return content
    }
}
