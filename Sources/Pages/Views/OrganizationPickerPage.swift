/// Asks which of the user's organizations it is for, after the user has signed in.
///
/// Posts `state`, `_csrf`, and `organization` with an id, or `action=personal`, to `/u/organization-picker?state=…`. Where there
/// are many, a second form asks for some of them, by `q` and `page` in that address.
package struct OrganizationPickerPage: Page {
    package static let template = "organization-picker"
    private let form: TransactionForm
    private let applicationName: String
    private let choices: [OrganizationChoice]
    private let allowsPersonal: Bool
    private let state: String
    private let search: OrganizationSearch?

    /// - Parameters:
    ///   - search: which of many organizations the choices are; nil where they are all.
    ///   - allowsPersonal: whether the user may go on without an organization.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil,
        choices: [OrganizationChoice], search: OrganizationSearch? = nil, allowsPersonal: Bool = false,
        problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/organization-picker", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.choices, self.allowsPersonal) = (applicationName, choices, allowsPersonal)
        (self.state, self.search) = (state, search)
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
        content["hasSearch"] = .flag(search != nil)
        content["searchText"] = .text(search?.text ?? "")
        content["isEmpty"] = .flag(choices.isEmpty && search != nil)
        let (previous, next) = (search.map { $0.page - 1 } ?? 0, search.map { $0.page + 1 } ?? 0)
        content["previousPath"] = .optional(previous > 0 ? path(previous) : nil)
        content["nextPath"] = .optional(search?.isContinued == true ? path(next) : nil)
        content["allPath"] = .optional(search?.text.isEmpty == false ? path(1, text: "") : nil)
        content["hasOtherPages"] = .flag(previous > 0 || search?.isContinued == true || search?.text.isEmpty == false)
        return content
    }

    private func path(_ page: Int, text: String? = nil) -> String {
        let text = text ?? search?.text ?? ""
        return "/u/organization-picker?state=\(SafeURL.queryValue(state))"
            + (text.isEmpty ? "" : "&q=\(SafeURL.queryValue(text))") + (page > 1 ? "&page=\(page)" : "")
    }
}

/// Which of a user's many organizations a page shows.
package struct OrganizationSearch: Sendable, Equatable {
    /// What their names have in them; empty for all.
    package let text: String
    /// From 1 on.
    package let page: Int
    /// Whether there is a page after it.
    package let isContinued: Bool

    package init(text: String, page: Int = 1, isContinued: Bool = false) {
        (self.text, self.page, self.isContinued) = (text, page, isContinued)
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
