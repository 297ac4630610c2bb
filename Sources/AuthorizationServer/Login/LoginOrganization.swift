import OAuth
import Storage

/// The organization that a request is for, whose members alone it lets in: Auth0's `organization` parameter.
package struct LoginOrganization: Sendable {
    package let organization: Organization
    /// What holds there for the connections that are switched on, by their ids.
    private let connections: [String: OrganizationConnection]

    /// Whether the login is for somebody who was invited, who may sign up where strangers may not.
    private let isInvited: Bool

    /// - Parameters:
    ///   - found: an organization, and what holds for its connections.
    ///   - invitation: what the login is to accept; it may be bound to one of the connections.
    /// - Throws: ``OAuthError`` `invalid_request` where the application may not sign anybody in to it, or nobody could.
    init(
        _ found: (organization: Organization, connections: [OrganizationConnection]), for client: Client, sent: String,
        invitation: OrganizationInvitation? = nil, _ services: Services
    ) async throws {
        let organization = found.organization
        guard organization.admits(client) else { throw Self.invalid(sent) }
        let enabled = found.connections.filter { connection in
            connection.isEnabled && invitation?.connectionID ?? connection.connectionID == connection.connectionID
        }
        let served = try await services.configuration.connections().filter { $0.serves(client) }.map(\.id)
        guard enabled.contains(where: { served.contains($0.connectionID) }) else {
            throw OAuthError.invalidRequest(
                "no connections enabled for the organization",
                hint: "Enable one of the application's connections for the organization \(organization.name).")
        }
        (self.organization, isInvited) = (organization, invitation != nil)
        connections = Dictionary(enabled.map { ($0.connectionID, $0) }) { first, _ in first }
    }

    /// The organization with an id, or with a name where the tenant takes names.
    /// - Throws: ``OAuthError`` `invalid_request` where there is none.
    static func find(
        _ value: String, _ services: Services
    ) async throws -> (organization: Organization, connections: [OrganizationConnection]) {
        let takesNames = try await services.configuration.settings().usesOrganizationNames
        guard Organization.isID(value) || takesNames else {
            throw OAuthError.invalidRequest(
                "authorization request parameter organization must be an organization id",
                hint:
                    "Send its id (org_…), or let the tenant take names (allow_organization_name_in_authentication_api)."
            )
        }
        guard let found = try await look(for: value, services) else { throw invalid(value) }
        return found
    }

    /// The organization with an id or a name, whatever the tenant takes from applications; nil where there is none.
    static func look(
        for value: String, _ services: Services
    ) async throws -> (organization: Organization, connections: [OrganizationConnection])? {
        try await services.stores.database.read { transaction in
            let organization = try OrganizationStore.find(idOrName: value, in: transaction)
            return try organization.map { ($0, try OrganizationStore.connections(of: $0.id, in: transaction)) }
        }
    }

    /// Whether its members may come from a connection.
    package func offers(_ connection: Connection) -> Bool { connections[connection.id] != nil }

    /// Whether its sign-in page has a button for a connection that is no database.
    package func showsButton(for connection: Connection) -> Bool {
        connections[connection.id]?.showsAsButton == true
    }

    /// The connection as it is offered to members: it takes no strangers where the organization does not, but always those
    /// who were invited.
    package func offered(_ connection: Connection) -> Connection {
        var offered = connection
        if isInvited {
            offered.options["disable_signup"] = nil
        } else if connections[connection.id]?.isSignupEnabled != true {
            offered.options["disable_signup"] = true
        }
        return offered
    }

    /// Lets a user in who is a member, or whom their connection makes one.
    /// - Throws: ``OAuthError`` `access_denied` for everybody else.
    func admit(_ session: Session, _ services: Services, _ trail: LogTrail) async throws {
        let (userID, id) = (session.userID, organization.id)
        let isMember = try await services.stores.database.readOnce {
            try OrganizationStore.isMember(userID, of: id, in: $0)
        }
        guard !isMember else { return }
        let connection = try await services.configuration.connections().first { $0.name == session.connection }
        guard let connection, connections[connection.id]?.assignsMembershipOnLogin == true else {
            throw Self.notMember(userID, of: id)
        }
        do {
            try await services.stores.database.write { try OrganizationStore.addMember(userID, to: id, in: $0) }
            var facts = trail.facts
            facts.details["organization_id"] = .string(id)
            services.log(.memberAdded, facts, description: "The connection makes members of all who sign in")
        } catch SQLError.foreignKeyViolation {
            throw Self.notMember(userID, of: id)
        }
    }

    /// - Parameter client: the application that the tokens were issued to, as it is now.
    /// - Returns: an error where a membership that tokens were issued for has ended, or the application's
    ///   `organization_usage` is another since.
    static func ending(
        of userID: String, in id: String?, for client: Client, _ transaction: any SQLTransaction
    ) throws -> OAuthError? {
        if client.organizations.usage == (id == nil ? .require : .deny) {
            return .invalidGrant(
                id == nil
                    ? "parameter organization is required for this client"
                    : "parameter organization is not allowed for this client",
                hint: "The application's organization_usage has changed since. Let the user sign in again.")
        }
        guard let id, try !OrganizationStore.isMember(userID, of: id, in: transaction) else { return nil }
        return .invalidGrant("user \(userID) is not part of the \(id) organization")
    }

    private static func notMember(_ userID: String, of id: String) -> OAuthError {
        .accessDenied(
            "user \(userID) is not part of the \(id) organization",
            hint: "Add the user to the organization's members, or set assign_membership_on_login for their connection.")
    }

    static let notAllowed = OAuthError.invalidRequest(
        "parameter organization is not allowed for this client",
        hint: "Set organization_usage to allow or require.")

    static func invalid(_ value: String) -> OAuthError {
        .invalidRequest("parameter organization is invalid: \(value.forDisplay)")
    }
}

extension Client {
    /// - Throws: ``OAuthError`` `invalid_request` where the application's users sign in to an organization in any case.
    func requireNoOrganization() throws(OAuthError) {
        guard organizations.usage != .require else {
            throw .invalidRequest(
                "parameter organization is required for this client",
                hint:
                    "Send organization with an authorization request, let a page ask for it "
                    + "(organization_require_behavior), or set organization_usage to allow.")
        }
    }
}

extension Organization {
    /// Whether an application may sign its members in. Those that are not the tenant's own may only where the organization
    /// says so, as Auth0 has it.
    func admits(_ client: Client) -> Bool {
        client.isFirstParty || other["third_party_client_access"]?.string == "allow"
    }
}
