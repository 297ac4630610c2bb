/// Tells an invited person who invites them to which organization, before they sign up or log in.
///
/// Posts `state`, `_csrf` and `action=accept` to `/u/invitation?state=…`.
package struct InvitationPage: Page {
    package static let template = "invitation"
    private let form: TransactionForm
    private let names: [String: String]

    /// - Parameters:
    ///   - inviterName: who invites.
    ///   - organizationName: what the organization's people call it.
    ///   - address: the e-mail address that was invited.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil, inviterName: String,
        organizationName: String, address: String, problem: FormProblem? = nil
    ) {
        form = TransactionForm("/u/invitation", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        names = [
            "application": applicationName, "inviter": inviterName, "organization": organizationName, "email": address,
        ]
    }

    package var arguments: [String: String] { names }

    package func content(_ context: PageContext) -> [String: PageValue] {
        form.content(context).merging([
            "lede": context.texts.runs(Self.template, "lede", names),
            "account": context.texts.runs(Self.template, "account", names),
        ]) { $1 }
    }
}
