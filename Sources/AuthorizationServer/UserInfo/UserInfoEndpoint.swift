import Foundation
import OAuth
import Storage

/// The userinfo endpoint, OpenID Connect Core §5.3.
package struct UserInfoEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What the endpoint answers, in the form that the client has registered.
    package enum Answer: Sendable {
        case claims(JSONObject)
        /// A JSON Web Token, OpenID Connect Core §5.3.2.
        case signed(String)
    }

    /// The claims that the token's scope asks for. An opaque token is looked up; a JWT must be one of ours whose `aud`
    /// names this endpoint, which an ID token's never does.
    /// - Throws: ``OAuthError`` `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`, or `insufficient_scope` for a
    ///   token without `openid`.
    package func answer(_ presented: PresentedAccessToken) async throws -> Answer {
        let token = try await token(presented)
        let (client, scope) = (token.client, token.scope)
        guard scope.contains(Scope.openID) else {
            throw OAuthError(
                .insufficientScope, "The access token lacks the scope openid",
                hint: "Ask for scope=openid in the authorization request.")
        }
        let found = try await ActiveAccessTokens(services: services).user(token.userID, in: token.organizationID)
        guard let user = found else {
            throw Self.invalid("The user no longer exists, is blocked, or is no member of the token's organization")
        }
        let dialect = try await services.configuration.settings().wireDialect
        var claims = UserClaims.claims(
            of: user, scope: scope, demands: token.demands?.userInfo ?? [:], dialect: dialect)
        claims.merge(try await scriptClaims(token)) { $1 }
        if let organization = try await OrganizationClaims.find(token.organizationID, services) {
            claims.merge(organization.members) { $1 }
        }
        try services.secret.subjects.name(user, in: &claims, for: client)
        guard let algorithm = client.openID.userInfoAlgorithm else { return .claims(claims) }
        // Without `exp` and `iat` it can pass for no ID token.
        claims["iss"] = .string(services.issuer.text)
        claims["aud"] = .string(client.clientID)
        return .signed(
            try await services.tokens.sign(
                claims, for: client, with: algorithm, keys: try await services.configuration.keyRing()))
    }

    /// What scripts have added to the ID token.
    private func scriptClaims(_ token: Token) async throws -> JSONObject {
        // Most tenants have no scripts, and need not look.
        guard let authorizationID = token.authorizationID,
            try await !services.configuration.dueScripts().at([.postLogin]).isEmpty
        else { return [:] }
        let now = services.now()
        let claims = try await services.stores.database.readOnce {
            try UserInfoClaimsStore.find(authorizationID, at: now, in: $0)
        }
        return ClaimNames.visible(claims, scope: token.scope)
    }

    /// What a token was issued for.
    private struct Token: Sendable {
        let userID: String
        let client: Client
        let scope: Scope
        let demands: ClaimsRequest?
        let organizationID: String?
        /// Names what scripts have said of the token.
        let authorizationID: String?
    }

    private func token(_ presented: PresentedAccessToken) async throws -> Token {
        guard presented.text.contains(".") else { return try await opaque(presented) }
        guard let claims = JSONWebToken.verify(presented.text, keys: try await services.configuration.keyRing()),
            claims["iss"]?.string == services.issuer.text,
            let expiry = claims["exp"]?.integer, Double(expiry) > services.now().timeIntervalSince1970
        else { throw Self.invalid("The access token is expired, altered, or not one of this issuer's") }
        guard claims["aud"]?.array?.contains(.string(services.issuer.userInfoAudience)) == true else {
            throw Self.invalid(
                "The access token is not for userinfo: its audience lacks \(services.issuer.userInfoAudience)")
        }
        guard try await !ActiveAccessTokens(services: services).isRevoked(claims) else {
            throw Self.invalid("The access token was revoked with its authorization")
        }
        try await presented.requirePossession(
            of: Confirmation(claims: claims), at: "userinfo", services: services)
        let client = try await client((claims["azp"] ?? claims["client_id"])?.string)
        guard let subject = claims["sub"]?.string,
            let userID = services.secret.subjects.userID(of: subject, for: client)
        else { throw Self.invalid("The access token names no user that the server can find") }
        // A script may have put other values in the place of openid. That it was granted the audience says.
        let scope = try Scope(parsing: claims["scope"]?.string ?? "").union(Scope([Scope.openID]))
        return Token(
            userID: userID, client: client, scope: scope,
            demands: try claims["claims"]?.string.map(ClaimsRequest.init(parsing:)),
            organizationID: claims["org_id"]?.string, authorizationID: TokenID.authorizationID(in: claims))
    }

    private func opaque(_ presented: PresentedAccessToken) async throws -> Token {
        let digest = Secret(presented.text).digest
        guard let found = try await services.stores.accessTokens.find(digest: digest, at: services.now()) else {
            throw Self.invalid("The access token is unknown, expired or revoked")
        }
        try await presented.requirePossession(of: found.confirmation, at: "userinfo", services: services)
        return Token(
            userID: found.userID, client: try await client(found.clientID), scope: found.scope, demands: found.claims,
            organizationID: found.organizationID, authorizationID: found.authorizationID)
    }

    private func client(_ clientID: String?) async throws -> Client {
        guard let clientID, let registered = try await services.configuration.client(clientID) else {
            throw Self.invalid("The application of the access token no longer exists")
        }
        return registered.client
    }

    private static func invalid(_ description: String) -> OAuthError { OAuthError(.invalidToken, description) }
}
