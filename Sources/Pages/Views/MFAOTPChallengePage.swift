/// Asks for a code of the user's app.
///
/// Posts `state`, `_csrf`, `code`, perhaps `rememberBrowser`, and `action=default` to `/u/mfa-otp-challenge?state=…`.
package struct MFAOTPChallengePage: Page {
    package static let template = "mfa-otp-challenge"
    private let form: TransactionForm
    private let applicationName: String
    private let others: MFAOtherMethods
    private let mayRemember: Bool

    /// - Parameters:
    ///   - others: what will do as well.
    ///   - mayRemember: whether the user may have the browser remembered.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil,
        others: MFAOtherMethods = MFAOtherMethods(), mayRemember: Bool = false, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-otp-challenge", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.others) = (applicationName, others)
        self.mayRemember = mayRemember
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context).merging(others.content(state: form.state)) { $1 }
        content["mayRemember"] = .flag(mayRemember)
        content["isInvalid"] = .flag(form.problem == .wrongFactorCode)
        return content
    }
}
