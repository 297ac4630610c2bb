/// Shows the user's new recovery code, until the user says that it is noted.
///
/// Posts `state`, `_csrf` and `action=default` to `/u/mfa-recovery-code-enrollment?state=…`.
package struct MFARecoveryCodeEnrollmentPage: Page {
    package static let template = "mfa-recovery-code-enrollment"
    private let form: TransactionForm
    private let applicationName, code: String

    /// - Parameter problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil, code: String,
        problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-recovery-code-enrollment", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.code) = (applicationName, code)
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["code"] = .text(MFAOTPEnrollmentPage.grouped(code))
        return content
    }
}
