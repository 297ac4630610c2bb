import OAuth
import Storage

/// The organization that a request is for, whose members alone it lets in: Auth0's `organization` parameter.
package struct LoginOrganization: Sendable {
    let organization: Organization
    /// What holds there for the connections that are switched on, by their ids.
    private let connections: [String: OrganizationConnection]

    /// The organization that an authorization request names.
    /// - Returns: nil where it names none and the application asks for none.
    /// - Throws: ``OAuthError`` `invalid_request` where that is not what the application's `organization_usage` says, or there
    ///   is no such organization.
    static func requested(
        _ value: String?, by client: Client, _ services: Services
    ) async throws -> LoginOrganization? {
        guard let value else {
            try client.requireNoOrganization()
            return nil
        }
        guard client.organizations.usage != .deny else { throw notAllowed }
        let found = try await find(value, services)
        let (organization, connections) = found
        guard client.isFirstParty || organization.admitsThirdParties else { throw invalid(value) }
        let enabled = connections.filter(\.isEnabled)
        let served = try await services.configuration.connections().filter { $0.serves(client) }.map(\.id)
        guard enabled.contains(where: { served.contains($0.connectionID) }) else {
            throw OAuthError.invalidRequest(
                "no connections enabled for the organization",
                hint: "Enable one of the application's connections for the organization \(organization.name).")
        }
        return LoginOrganization(
            organization: organization,
            connections: Dictionary(enabled.map { ($0.connectionID, $0) }) { first, _ in first })
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
        let found = try await services.stores.database.read { transaction in
            let organization =
                try Organization.isID(value)
                ? OrganizationStore.find(value, in: transaction) : OrganizationStore.find(name: value, in: transaction)
            return try organization.map { ($0, try OrganizationStore.connections(of: $0.id, in: transaction)) }
        }
        guard let found else { throw invalid(value) }
        return found
    }

    /// Whether its members may come from a connection.
    func offers(_ connection: Connection) -> Bool { connections[connection.id] != nil }

    /// The connection as it is offered to members: it takes no strangers where the organization does not.
    func offered(_ connection: Connection) -> Connection {
        var offered = connection
        if connections[connection.id]?.isSignupEnabled != true { offered.options["disable_signup"] = true }
        return offered
    }

    /// Lets a user in who is a member, or whom their connection makes one.
    /// - Throws: ``OAuthError`` `access_denied` for everybody else.
    func admit(_ session: Session, _ services: Services) async throws {
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
                    "Send organization with an authorization request, or set organization_usage to allow. There are no "
                    + "pages yet that ask for the organization.")
        }
    }
}

extension Organization {
    /// Whether applications that are not the tenant's own may sign its members in; Auth0's standard is that they may not.
    var admitsThirdParties: Bool { other["third_party_client_access"]?.string == "allow" }
}

/// What tokens say of the organization that they are for.
package struct OrganizationClaims: Sendable {
    let id: String
    /// Its name, where the tenant's tokens have it.
    let name: String?

    init(_ organization: Organization, _ settings: TenantSettings) {
        (id, name) = (organization.id, settings.usesOrganizationNames ? organization.name : nil)
    }

    /// - Returns: nil for nil.
    /// - Throws: ``OAuthError`` `invalid_grant` where the organization has gone.
    static func find(_ id: String?, _ services: Services) async throws -> OrganizationClaims? {
        guard let id else { return nil }
        let found = try await services.stores.database.readOnce { try OrganizationStore.find(id, in: $0) }
        guard let found else { throw OAuthError.invalidGrant("The organization \(id) no longer exists.") }
        return OrganizationClaims(found, try await services.configuration.settings())
    }

    var members: JSONObject {
        var members: JSONObject = ["org_id": .string(id)]
        members["org_name"] = name.map(JSONValue.string)
        return members
    }
}
