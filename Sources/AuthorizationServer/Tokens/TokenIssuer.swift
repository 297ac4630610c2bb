import Foundation
import OAuth
import Storage

/// Mints the tokens of an authorization.
package struct TokenIssuer: Sendable {
    let issuer: Issuer
    let configuration: ConfigurationCache
    let box: SecretBox

    package init(issuer: Issuer, configuration: ConfigurationCache, box: SecretBox) {
        (self.issuer, self.configuration, self.box) = (issuer, configuration, box)
    }

    /// Seconds for which an opaque access token from the token endpoint is valid.
    package static let opaqueTokenLifetime = 86_400

    /// The answer of the token endpoint: an access token, an ID token where `openid` was granted, and what the grant
    /// itself has issued.
    func issue(_ authorization: Authorization, at now: Date) async throws -> TokenResponse {
        let keys = try await configuration.keyRing()
        let (accessToken, lifetime) = try accessToken(for: authorization, keys: keys, at: now)
        return TokenResponse(
            accessToken: accessToken, refreshToken: authorization.refreshToken?.text,
            idToken: try await idToken(for: authorization, keys: keys, at: now), scope: authorization.scope,
            expiresIn: lifetime)
    }

    private func accessToken(
        for authorization: Authorization, keys: KeyRing, at now: Date
    ) throws -> (String, lifetime: Int) {
        if let opaque = authorization.opaqueAccessToken { return (opaque.text, Self.opaqueTokenLifetime) }
        guard let registered = authorization.resourceServer else { throw OAuthError.serverError }
        let api = registered.resourceServer
        let claims = accessTokenClaims(authorization, api, at: now)
        switch api.signingAlgorithm {
        case .rs256:
            let header = api.tokenDialect.isRFC9068 ? keys.current.rfc9068Header : keys.current.accessTokenHeader
            return (try JSONWebToken.sign(claims, with: keys.current, header: header), api.tokenLifetime)
        case .hs256:
            guard let sealed = registered.sealedSigningSecret else { throw OAuthError.serverError }
            return (try JSONWebToken.sign(claims, secret: box.open(sealed)), api.tokenLifetime)
        }
    }

    private func accessTokenClaims(
        _ authorization: Authorization, _ api: ResourceServer, at now: Date
    ) -> JSONObject {
        let issuedAt = Int64(now.timeIntervalSince1970)
        let clientID = authorization.client.clientID
        var claims: JSONObject = [
            "iss": .string(issuer.text),
            "sub": .string(authorization.subject.user?.id ?? "\(clientID)@clients"),
            "aud": audience(of: authorization, api),
            "iat": .integer(issuedAt),
            "exp": .integer(issuedAt + Int64(api.tokenLifetime)),
        ]
        if !authorization.scope.isEmpty { claims["scope"] = .string(authorization.scope.text) }
        if api.tokenDialect.isRFC9068 {
            claims["client_id"] = .string(clientID)
            claims["jti"] = .string(Base64URL.encode(RandomBytes.make(16)))
        } else {
            claims["azp"] = .string(clientID)
            claims["gty"] = authorization.grantName.map(JSONValue.string)
        }
        if api.enforcesPolicies, api.tokenDialect.hasPermissions {
            claims["permissions"] = JSONValue(authorization.permissions)
        }
        return claims
    }

    /// The userinfo endpoint accepts the token too where `openid` was granted and it can verify the signature.
    private func audience(of authorization: Authorization, _ api: ResourceServer) -> JSONValue {
        guard authorization.scope.contains(Scope.openID), api.signingAlgorithm == .rs256 else {
            return .string(api.identifier)
        }
        return [.string(api.identifier), .string(issuer.userInfoAudience)]
    }

    /// An ID token, OpenID Connect Core §2, or nil where `openid` was not granted.
    private func idToken(for authorization: Authorization, keys: KeyRing, at now: Date) async throws -> String? {
        guard authorization.scope.contains(Scope.openID), let user = authorization.subject.user else { return nil }
        let client = authorization.client
        let dialect = try await configuration.settings().wireDialect
        let claims = idTokenClaims(authorization, user, dialect: dialect, at: now)
        switch client.idTokenAlgorithm {
        case .rs256:
            return try JSONWebToken.sign(claims, with: keys.current, header: keys.current.accessTokenHeader)
        case .hs256:
            guard let sealed = try await configuration.client(client.clientID)?.sealedSecret else {
                throw OAuthError.serverError
            }
            return try JSONWebToken.sign(claims, secret: box.open(sealed))
        }
    }

    private func idTokenClaims(
        _ authorization: Authorization, _ user: User, dialect: WireDialect, at now: Date
    ) -> JSONObject {
        let issuedAt = Int64(now.timeIntervalSince1970)
        var claims = UserClaims.claims(of: user, scope: authorization.scope, dialect: dialect)
        claims["iss"] = .string(issuer.text)
        claims["aud"] = .string(authorization.client.clientID)
        claims["sub"] = .string(user.id)
        claims["iat"] = .integer(issuedAt)
        claims["exp"] = .integer(issuedAt + Int64(authorization.client.idTokenLifetime))
        if let authentication = authorization.authentication {
            claims["sid"] = .string(authentication.sid)
            claims["nonce"] = authentication.nonce.map(JSONValue.string)
            if authentication.showsTime {
                claims["auth_time"] = .integer(Int64(authentication.authenticatedAt.timeIntervalSince1970))
            }
        }
        return claims
    }
}
