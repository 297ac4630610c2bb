import OAuth
import Storage

/// Who asks the Management API for something, and what they may do at this moment.
package struct ManagementPrincipal: Sendable {
    package let client: Client
    /// The person whom the application acts for; nil for an application that acts for itself.
    package let user: User?
    /// What the token says and the client grant, or the user's permissions, still give.
    package let scope: Scope
    /// The `jti` of the token, where it has one.
    package let tokenID: String?
}

/// Decides what an access token is worth at the Management API.
package struct ManagementAccess: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Who presents the token. What was taken back after the token was issued is gone at once: a client, a client grant
    /// and its scopes, an account, a permission.
    /// - Parameter path: the resource's path below the issuer, as it was sent.
    /// - Throws: ``OAuthError`` `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`.
    package func principal(_ presented: PresentedAccessToken, at path: String) async throws -> ManagementPrincipal {
        guard let token = try await ActiveAccessTokens(services: services).find(presented.text) else {
            throw OAuthError(.invalidToken, "Invalid token")
        }
        let audience = services.issuer.managementAudience
        guard token.audiences.contains(audience) else {
            throw OAuthError(.invalidToken, "Bad audience: \(token.audiences.joined(separator: ", ").forDisplay)")
        }
        try await presented.requirePossession(
            of: Confirmation(claims: token.claims), at: path, services: services)
        return ManagementPrincipal(
            client: token.client, user: token.user, scope: try await present(token, audience),
            tokenID: token.claims["jti"]?.string)
    }

    private func present(_ token: ActiveAccessToken, _ audience: String) async throws -> Scope {
        guard let user = token.user else {
            let grant = try await services.configuration.clientGrant(
                clientID: token.client.clientID, audience: audience)
            return token.scope.intersection(grant?.scope ?? .empty)
        }
        let permissions = try await services.stores.database.readOnce { transaction in
            try RoleStore.permissions(of: user.id, audience: audience, in: transaction)
        }
        return token.scope.intersection(Scope(permissions).union(SystemAPI.ownScope))
    }
}
