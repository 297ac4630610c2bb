/// Asks for the name of the organization to sign in to, before anybody signs in.
///
/// Posts `state`, `_csrf`, `organizationName` and `action=default`, or `action=personal`, to `/u/organization?state=…`.
package struct OrganizationPage: Page {
    package static let template = "organization"
    private let form: TransactionForm
    private let applicationName: String
    private let organizationName: String
    private let allowsPersonal: Bool

    /// - Parameters:
    ///   - organizationName: what the user wrote before.
    ///   - allowsPersonal: whether the user may go on without an organization.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil,
        organizationName: String = "", allowsPersonal: Bool = false, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/organization", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.organizationName) = (applicationName, organizationName)
        self.allowsPersonal = allowsPersonal
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["organizationName"] = .text(organizationName)
        content["allowsPersonal"] = .flag(allowsPersonal)
        content["organizationInvalid"] = .flag(form.problem == .organizationInvalid)
        return content
    }
}
