import Foundation
import OAuth
import Storage

/// The user's answer to the pages that ask for the organization: its name before the login, or one of the user's own after
/// it.
package struct OrganizationSelection: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// No organization has that name, or the application signs nobody in to it, or does not ask for it.
    package struct Unknown: Error, Sendable { package init() {} }

    /// What the page after the login shows.
    package struct Question: Sendable {
        package let organizations: [Organization]
        /// Whether the user may go on without an organization.
        package let allowsPersonal: Bool

        /// How many a page shows, as at Auth0; the page's form takes any.
        package static let mostShown = 20

        /// Some of the organizations, in the order of their names.
        package struct Excerpt: Sendable {
            package let organizations: [Organization]
            /// From 1 on.
            package let page: Int
            /// Whether there are more after them.
            package let isContinued: Bool
        }

        /// A page of those whose names have `text` in them, whatever its case and accents.
        /// - Parameter page: from 1 on; what is beyond the last one is the last one.
        package func excerpt(matching text: String, page: Int) -> Excerpt {
            let sought = text.trimmingSpaces
            let found =
                sought.isEmpty
                ? organizations
                : organizations.filter { organization in
                    [organization.shownName, organization.name].contains {
                        $0.range(of: sought, options: [.caseInsensitive, .diacriticInsensitive]) != nil
                    }
                }
            let last = max(1, (found.count + Self.mostShown - 1) / Self.mostShown)
            let page = min(max(1, page), last)
            return Excerpt(
                organizations: Array(found.dropFirst((page - 1) * Self.mostShown).prefix(Self.mostShown)),
                page: page, isContinued: page < last)
        }
    }

    /// Goes on with the organization of this name, whatever its letters' case.
    /// - Throws: ``Unknown``.
    package func enter(
        name: String, _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest
    ) async throws {
        guard request.organizationPrompt == .beforeLogin else { throw Unknown() }
        let name = name.trimmingSpaces
        guard !Organization.isID(name), let found = try await LoginOrganization.look(for: name, services) else {
            throw Unknown()
        }
        do {
            _ = try await LoginOrganization(found, for: request.client, sent: name, services)
        } catch is OAuthError {
            throw Unknown()
        }
        try await choose(.organization(id: found.organization.id), login)
    }

    /// - Returns: nil where nobody has signed in who is asked, so that there is nothing to choose from.
    package func question(
        _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws -> Question? {
        guard let session = try await browser.session(services), login.progress.pickerSessionDigest == session.digest
        else { return nil }
        let choices = try await OrganizationStep(client: request.client, services: services).choices(session)
        return Question(organizations: choices.organizations, allowsPersonal: choices.allowsPersonal)
    }

    /// Goes on with one of the user's organizations.
    /// - Throws: ``Unknown`` where it is none of those.
    package func pick(
        _ id: String, _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws {
        guard request.organizationPrompt == .afterLogin else { throw Unknown() }
        let question = try await question(login, request, browser: browser)
        guard question?.organizations.contains(where: { $0.id == id }) == true else { throw Unknown() }
        try await choose(.organization(id: id), login)
    }

    /// Goes on without an organization.
    /// - Throws: ``Unknown`` where the application requires one.
    package func pickNone(_ login: LoginTransaction, _ request: VerifiedAuthorizationRequest) async throws {
        guard request.organizationPrompt != nil, request.allowsPersonalLogin else { throw Unknown() }
        try await choose(.personal, login)
    }

    private func choose(_ choice: LoginTransaction.OrganizationChoice, _ login: LoginTransaction) async throws {
        try await services.keep(of: login) { progress in
            progress.organizationChoice = choice
            // What scripts have said was about another organization.
            progress.scripts = nil
        }
    }
}

extension Services {
    /// Keeps what the user has answered on a page, beside what another tab may have written meanwhile.
    /// - Throws: ``TransactionNotFound`` where the login has ended.
    func keep(
        of login: LoginTransaction, _ change: @escaping @Sendable (inout LoginTransaction.Progress) -> Void
    ) async throws {
        let now = now()
        try await stores.database.write { transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            let present = try LoginTransactionStore.find(
                digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction)
            guard var progress = present?.progress else { throw TransactionNotFound() }
            change(&progress)
            try LoginTransactionStore.update(progress, digest: login.digest, in: transaction)
        }
    }
}

extension String {
    /// Without the spaces that people type or paste around a name.
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
