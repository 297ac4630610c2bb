import OAuth
import Storage

/// What a user has authorized, on its way to an ``Authorization``: the part that the grants of users share.
struct UserAuthorization: Sendable {
    let user: User
    /// Names everything that the user's decision issues.
    let authorizationID: String
    let scope: Scope
    let audience: String?
    var claims: ClaimsRequest?
    let authentication: Authorization.Authentication
    var grantName: String?
    /// The organization that the user has signed in to; nil for none.
    var organizationID: String?
    /// What scripts have changed of the tokens; nil where none ran.
    var changes: ScriptChanges?

    /// Looks up the API and the user's permissions as they are now.
    /// - Throws: ``OAuthError`` `invalid_grant` where the API no longer exists.
    func make(
        for client: Client, opaqueAccessToken: Secret?, refreshToken: Secret?, services: Services
    ) async throws -> Authorization {
        var granted = scope
        if refreshToken == nil { granted = granted.filter { $0 != Scope.offlineAccess } }
        var api: RegisteredResourceServer?
        var permissions: [String] = []
        if let audience {
            guard let found = try await services.configuration.resourceServer(audience) else {
                throw OAuthError.invalidGrant("The API \(audience) no longer exists.")
            }
            api = found
            let access = try await RequestedAccess.resolve(
                granted, client: client, resourceServer: found, userID: user.id,
                organizationID: organizationID, stores: services.stores)
            (granted, permissions) = (access.scope, access.permissions)
        }
        var authorization = Authorization(
            client: client, subject: .user(user), scope: granted, resourceServer: api)
        authorization.authorizationID = authorizationID
        authorization.permissions = permissions
        authorization.grantName = grantName
        authorization.authentication = authentication
        authorization.claims = claims
        authorization.opaqueAccessToken = opaqueAccessToken
        authorization.refreshToken = refreshToken
        authorization.changes = changes
        authorization.organization = try await OrganizationClaims.find(organizationID, services)
        return authorization
    }
}
