/// Asks which account the user wants to go on with.
///
/// Posts `state`, `_csrf`, and `action=continue` or `action=another` to `/u/select-account?state=…`.
package struct SelectAccountPage: Page {
    package static let template = "select-account"
    private let form: TransactionForm
    private let applicationName: String
    private let userName: String
    private let address: String?

    /// - Parameters:
    ///   - userName: who has the browser's session.
    ///   - address: the e-mail address or user name that tells two accounts of one person apart.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, applicationLogoURL: String? = nil, userName: String,
        address: String? = nil, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/select-account", state: state, csrfToken: csrfToken, logoURL: applicationLogoURL, problem: problem)
        (self.applicationName, self.userName, self.address) = (applicationName, userName, address)
    }

    package var arguments: [String: String] { ["application": applicationName, "user": userName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        form.content(context).merging(["address": .optional(address == userName ? nil : address)]) { $1 }
    }
}
