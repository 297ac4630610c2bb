/// Asks for a code of the user's app.
///
/// Posts `state`, `_csrf`, `code`, perhaps `rememberBrowser`, and `action=default` to `/u/mfa-otp-challenge?state=…`.
package struct MFAOTPChallengePage: Page {
    package static let template = "mfa-otp-challenge"
    private let form: TransactionForm
    private let applicationName: String
    private let offersRecovery, mayRemember: Bool

    /// - Parameters:
    ///   - offersRecovery: whether the recovery code will do as well.
    ///   - mayRemember: whether the user may have the browser remembered.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil,
        offersRecovery: Bool = false, mayRemember: Bool = false, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-otp-challenge", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.offersRecovery) = (applicationName, offersRecovery)
        self.mayRemember = mayRemember
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["recoveryPath"] = .optional(
            offersRecovery ? "/u/mfa-recovery-code-challenge?state=\(SafeURL.queryValue(form.state))" : nil)
        content["mayRemember"] = .flag(mayRemember)
        content["isInvalid"] = .flag(form.problem == .wrongFactorCode)
        return content
    }
}
