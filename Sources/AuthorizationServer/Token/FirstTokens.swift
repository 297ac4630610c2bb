import Foundation
import OAuth
import Storage

/// The tokens with rows of their own with which an authorization by a user begins. They are made before the transaction
/// that writes them down, so that running it again changes nothing.
struct FirstTokens: Sendable {
    private let accessToken = Secret.random()
    private let refreshToken = Secret.random(prefix: "v1.")
    private let familyID = RandomBytes.alphanumeric(24)

    /// What they are issued for.
    struct Basis: Sendable {
        let authorizationID: String
        let user: User
        /// The API's identifier; nil for the userinfo endpoint alone, whose access token is opaque.
        let audience: String?
        let scope: Scope
        /// Single claims that the client has asked for.
        var claims: ClaimsRequest?
        let authentication: Authorization.Authentication
        var grantName: String?
        /// Whether the client gets a refresh token: `offline_access` stands in the scope only where it may.
        let hasRefreshToken: Bool
        /// The organization that the user has signed in to; nil for none.
        var organizationID: String?
        /// What scripts have changed of the tokens; nil where none ran.
        var changes: ScriptChanges?
    }

    /// Issues them for what a grant finds proved in a transaction, and writes both down in the same one.
    /// - Parameter redeem: says what the tokens are for. A refusal leaves the transaction as a value: thrown, it would undo
    ///   what the grant has written, such as that a code is spent.
    /// - Throws: ``OAuthError``.
    static func issue(
        for request: TokenRequest, _ services: Services,
        _ redeem: @escaping @Sendable (any SQLTransaction) throws -> Result<Basis, OAuthError>
    ) async throws -> Authorization {
        let issued = FirstTokens()
        let verdict = try await services.stores.database.write { transaction in
            let verdict = try redeem(transaction)
            if case .success(let basis) = verdict { try issued.write(basis, for: request, in: transaction) }
            return verdict
        }
        return try await issued.authorization(verdict.get(), for: request.client, services: services)
    }

    /// Writes down those of them that `basis` comes to, bound to what `request` proves.
    private func write(_ basis: Basis, for request: TokenRequest, in transaction: any SQLTransaction) throws {
        let (client, now) = (request.client, request.now)
        if basis.audience == nil {
            try AccessTokenStore.insert(
                AccessToken(
                    digest: accessToken.digest, authorizationID: basis.authorizationID, clientID: client.clientID,
                    userID: basis.user.id, scope: basis.changes?.opaqueTokenScope(of: basis.scope) ?? basis.scope,
                    claims: basis.claims,
                    expiresAt: now.addingTimeInterval(Double(TokenIssuer.opaqueTokenLifetime)),
                    confirmation: request.confirmation(audience: nil), organizationID: basis.organizationID),
                in: transaction)
        }
        if let changes = basis.changes, basis.scope.contains(Scope.openID) {
            try changes.keepForUserInfo(
                basis.authorizationID, audience: basis.audience, mayHaveSome: false, at: now, in: transaction)
        }
        guard basis.hasRefreshToken else { return }
        let (wanted, lifetime) = (basis.changes?.refreshToken, client.refreshToken.absoluteLifetime)
        let ends = [lifetime.map { now.addingTimeInterval(Double($0)) }, wanted?.expiresAt]
        var family = RefreshTokenFamily(
            id: familyID, authorizationID: basis.authorizationID, clientID: client.clientID,
            userID: basis.user.id, audience: basis.audience, scope: basis.scope, claims: basis.claims,
            sid: basis.authentication.sid ?? "", authenticatedAt: basis.authentication.authenticatedAt,
            multiFactorAt: basis.authentication.multiFactorAt,
            showsAuthenticationTime: basis.authentication.showsTime, isRotating: client.refreshToken.isRotating,
            expiresAt: ends.compactMap(\.self).min(),
            confirmation: request.refreshConfirmation(audience: basis.audience),
            organizationID: basis.organizationID)
        (family.idleExpiresAt, family.firstDevice) = (wanted?.idleExpiresAt?.storable, request.device)
        try RefreshTokenStore.insert(family, firstToken: refreshToken.digest, at: now, in: transaction)
        if let metadata = wanted?.metadata, !metadata.isEmpty {
            try RefreshTokenStore.setMetadata(metadata, of: familyID, in: transaction)
        }
    }

    /// What the token endpoint answers once they are written down.
    /// - Throws: ``OAuthError`` `invalid_grant` where the API no longer exists.
    private func authorization(_ basis: Basis, for client: Client, services: Services) async throws -> Authorization {
        try await UserAuthorization(
            user: basis.user, authorizationID: basis.authorizationID, scope: basis.scope, audience: basis.audience,
            claims: basis.claims,
            authentication: basis.authentication,
            grantName: basis.grantName, organizationID: basis.organizationID, changes: basis.changes
        ).make(
            for: client, opaqueAccessToken: basis.audience == nil ? accessToken : nil,
            refreshToken: basis.hasRefreshToken ? refreshToken : nil, services: services)
    }
}

extension Client {
    /// - Throws: ``OAuthError`` `unauthorized_client` where the client may not use the grant.
    func require(_ type: GrantType) throws(OAuthError) {
        guard grantTypes.contains(type) else {
            throw OAuthError(
                .unauthorizedClient, "Grant type '\(type.rawValue)' not allowed for the client.",
                hint: "Add '\(type.rawValue)' to the application's grant types (grant_types).")
        }
    }
}
