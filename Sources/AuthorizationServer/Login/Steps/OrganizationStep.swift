import OAuth
import Storage

/// Asks a user who has signed in which of their organizations it is for, where the application wants that
/// (`organization_require_behavior` `post_login_prompt`).
struct OrganizationStep {
    let client: Client
    let services: Services

    /// What there is to choose from.
    struct Choices: Sendable {
        /// In the order of their names.
        let organizations: [Organization]
        /// Whether the user may go on without any.
        let allowsPersonal: Bool
    }

    /// The user's organizations that the application signs in to by the session's connection.
    func choices(_ session: Session) async throws -> Choices {
        let allowsPersonal = client.organizations.usage == .allow
        let connection = try await services.configuration.connections().first { $0.name == session.connection }
        guard let connection else { return Choices(organizations: [], allowsPersonal: allowsPersonal) }
        let organizations = try await services.stores.database.read { transaction in
            let settings = try OrganizationStore.settings(
                of: connection.id, forMember: session.userID, in: transaction)
            return try OrganizationStore.organizations(of: session.userID, in: transaction).filter { organization in
                organization.admits(client) && settings[organization.id]?.isEnabled == true
            }
        }
        return Choices(organizations: organizations, allowsPersonal: allowsPersonal)
    }

    /// What follows by itself where there is nothing to choose.
    /// - Returns: nil where the user must be asked.
    /// - Throws: ``OAuthError`` `access_denied` for whoever belongs to none, where one is required.
    func onlyChoice(_ session: Session) async throws -> LoginTransaction.OrganizationChoice? {
        let choices = try await choices(session)
        if choices.allowsPersonal { return choices.organizations.isEmpty ? .personal : nil }
        guard let first = choices.organizations.first else {
            throw OAuthError.accessDenied(
                "user \(session.userID) is not part of any organization",
                hint: "Add the user to an organization that the user's connection is enabled for.")
        }
        return choices.organizations.count == 1 ? .organization(id: first.id) : nil
    }
}
