import Foundation
import OAuth
import Storage

/// The userinfo endpoint, OpenID Connect Core §5.3.
package struct UserInfoEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// The claims that the token's scope asks for. An opaque token is looked up; a JWT must be one of ours whose `aud`
    /// names this endpoint, which an ID token's never does.
    /// - Throws: ``OAuthError`` `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`, or `insufficient_scope` for a
    ///   token without `openid`.
    package func claims(_ presented: PresentedAccessToken) async throws -> JSONObject {
        let (userID, scope, demands) = try await subject(presented)
        guard scope.contains(Scope.openID) else {
            throw OAuthError(
                .insufficientScope, "The access token lacks the scope openid",
                hint: "Ask for scope=openid in the authorization request.")
        }
        guard let user = try await services.stores.users.find(userID), !user.isBlocked else {
            throw Self.invalid("The user no longer exists or is blocked")
        }
        let dialect = try await services.configuration.settings().wireDialect
        var claims = UserClaims.claims(
            of: user, scope: scope, demands: demands?.userInfo ?? [:], dialect: dialect)
        claims["sub"] = .string(user.id)
        return claims
    }

    private func subject(_ presented: PresentedAccessToken) async throws -> (userID: String, Scope, ClaimsRequest?) {
        guard presented.text.contains(".") else { return try await opaque(presented) }
        guard let claims = JSONWebToken.verify(presented.text, keys: try await services.configuration.keyRing()),
            claims["iss"]?.string == services.issuer.text,
            let expiry = claims["exp"]?.integer, Double(expiry) > services.now().timeIntervalSince1970
        else { throw Self.invalid("The access token is expired, altered, or not one of this issuer's") }
        guard claims["aud"]?.array?.contains(.string(services.issuer.userInfoAudience)) == true,
            let subject = claims["sub"]?.string
        else {
            throw Self.invalid(
                "The access token is not for userinfo: its audience lacks \(services.issuer.userInfoAudience)")
        }
        try await presented.requirePossession(
            of: claims["cnf"]?.object?["jkt"]?.string, at: "userinfo", services: services)
        return (
            subject, try Scope(parsing: claims["scope"]?.string ?? ""),
            try claims["claims"]?.string.map(ClaimsRequest.init(parsing:))
        )
    }

    private func opaque(_ presented: PresentedAccessToken) async throws -> (userID: String, Scope, ClaimsRequest?) {
        let digest = Secret(presented.text).digest
        guard let found = try await services.stores.accessTokens.find(digest: digest, at: services.now()) else {
            throw Self.invalid("The access token is unknown, expired or revoked")
        }
        try await presented.requirePossession(of: found.keyThumbprint, at: "userinfo", services: services)
        return (found.userID, found.scope, found.claims)
    }

    private static func invalid(_ description: String) -> OAuthError { OAuthError(.invalidToken, description) }
}
