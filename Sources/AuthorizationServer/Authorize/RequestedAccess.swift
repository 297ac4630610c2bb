import OAuth
import Storage

/// What an authorization request may come to: the API and the part of the scope that this client and user can be given.
struct RequestedAccess: Sendable {
    let resourceServer: RegisteredResourceServer?
    /// Without what no API defines, what the user has no permission for, and an `offline_access` that is not allowed.
    private(set) var scope: Scope
    let permissions: [String]
    /// What scripts have changed of the tokens; nil where none ran.
    private(set) var changes: ScriptChanges?

    /// The API that `audience` or, where the tenant reads it, `resource` names; nil where the request is for the userinfo endpoint alone.
    /// - Throws: ``OAuthError`` where no API has that identifier, or the two name different ones.
    static func resourceServer(
        _ audience: String?, resource: String?, services: Services
    ) async throws -> RegisteredResourceServer? {
        let settings = try await services.configuration.settings()
        let resource = settings.readsResource ? resource : nil
        if let audience, let resource, audience != resource { throw Self.differentTargets }
        let asked = audience ?? resource ?? settings.defaultAudience
        guard let asked, asked != services.issuer.userInfoAudience else { return nil }
        guard let found = try await services.configuration.resourceServer(asked) else {
            throw OAuthError(
                .accessDenied, "Service not found: \(asked.forDisplay)",
                hint:
                    "No API has this identifier. 'audience' is compared exactly, its case and a slash at its end included.",
                reason: .audience)
        }
        return found
    }

    /// The access as the tenant's scripts leave it.
    func changed(by changes: ScriptChanges?) -> RequestedAccess {
        guard let changes else { return self }
        var access = self
        (access.scope, access.changes) = (changes.granted(of: scope), changes)
        return access
    }

    private static let differentTargets = OAuthError(
        .invalidTarget, "audience and resource name different APIs",
        hint: "An access token is for one API: send either parameter, or the same identifier in both.")

    /// The scope that a user can be given.
    /// - Parameter organizationID: the organization that the user has signed in to, where their roles there count.
    static func resolve(
        _ requested: Scope, client: Client, resourceServer: RegisteredResourceServer?, userID: String,
        organizationID: String? = nil, stores: Stores
    ) async throws -> RequestedAccess {
        let api = resourceServer?.resourceServer
        var allowed = api?.scope ?? .empty
        var permissions: [String] = []
        if let api, MFAAPI.isItself(api), !client.isFirstParty { allowed = MFAAPI.foreignScope }
        if let api, api.enforcesPolicies {
            permissions = try await stores.database.readOnce { transaction in
                guard let organizationID else {
                    return try RoleStore.permissions(of: userID, audience: api.identifier, in: transaction)
                }
                return try OrganizationStore.permissions(
                    of: userID, in: organizationID, audience: api.identifier, transaction)
            }
            let own = api.isSystem ? SystemAPI.ownScope : .empty
            allowed = allowed.intersection(Scope(permissions).union(own))
        }
        let offline = client.grantTypes.contains(.refreshToken) && api?.allowsOfflineAccess ?? true
        let scope = requested.filter { value in
            value == Scope.offlineAccess ? offline : Scope.isReserved(value) || allowed.contains(value)
        }
        return RequestedAccess(resourceServer: resourceServer, scope: scope, permissions: permissions)
    }
}
