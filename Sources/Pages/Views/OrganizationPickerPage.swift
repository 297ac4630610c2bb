/// Asks which of the user's organizations it is for, after the user has signed in.
///
/// Posts `state`, `_csrf`, and `organization` with an id, or `action=personal`, to `/u/organization-picker?state=…`.
package struct OrganizationPickerPage: Page {
    package static let template = "organization-picker"
    private let form: TransactionForm
    private let applicationName: String
    private let choices: [OrganizationChoice]
    private let allowsPersonal: Bool

    /// - Parameters:
    ///   - allowsPersonal: whether the user may go on without an organization.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil,
        choices: [OrganizationChoice], allowsPersonal: Bool = false, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/organization-picker", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.choices, self.allowsPersonal) = (applicationName, choices, allowsPersonal)
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["choices"] = .list(
            choices.map { choice in
                [
                    "id": .text(choice.id), "name": .text(choice.name),
                    "image": .optional(choice.logoURL.flatMap(SafeURL.image)),
                    "monogram": .text(choice.name.first.map { String($0).uppercased() } ?? "?"),
                ]
            })
        content["allowsPersonal"] = .flag(allowsPersonal)
        return content
    }
}

/// An organization to choose.
package struct OrganizationChoice: Sendable, Equatable {
    package let id: String
    /// What its people call it.
    package let name: String
    package let logoURL: String?

    package init(id: String, name: String, logoURL: String? = nil) {
        (self.id, self.name, self.logoURL) = (id, name, logoURL)
    }
}
