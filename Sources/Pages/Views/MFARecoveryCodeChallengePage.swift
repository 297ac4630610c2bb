/// Asks for the recovery code of a user who has lost the app.
///
/// Posts `state`, `_csrf`, `code` and `action=default` to `/u/mfa-recovery-code-challenge?state=…`.
package struct MFARecoveryCodeChallengePage: Page {
    package static let template = "mfa-recovery-code-challenge"
    private let form: TransactionForm
    private let applicationName: String
    private let others: MFAOtherMethods

    /// - Parameters:
    ///   - others: what will do as well.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil,
        others: MFAOtherMethods = MFAOtherMethods(), problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-recovery-code-challenge", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.others) = (applicationName, others)
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context).merging(others.content(state: form.state)) { $1 }
        content["isInvalid"] = .flag(form.problem == .wrongRecoveryCode)
        return content
    }
}
