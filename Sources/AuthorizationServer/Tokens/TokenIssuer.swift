import Foundation
import OAuth
import Storage

/// The tokens of an authorization response; what its type does not name is nil.
struct FrontChannelTokens: Sendable {
    var accessToken: (text: String, lifetime: Int)?
    var idToken: String?
}

/// Mints the tokens of an authorization.
package struct TokenIssuer: Sendable {
    let issuer: Issuer
    let configuration: ConfigurationCache
    let box: SecretBox
    let subjects: SubjectIdentifier

    package init(issuer: Issuer, configuration: ConfigurationCache, box: SecretBox, subjects: SubjectIdentifier) {
        (self.issuer, self.configuration, self.box, self.subjects) = (issuer, configuration, box, subjects)
    }

    /// Seconds for which an opaque access token from the token endpoint is valid.
    package static let opaqueTokenLifetime = 86_400
    /// Seconds for which an opaque access token from the authorization endpoint is valid.
    package static let opaqueTokenLifetimeForWeb = 7_200

    /// The answer of the token endpoint: an access token, an ID token where `openid` was granted, and what the grant
    /// itself has issued.
    func issue(_ authorization: Authorization, at now: Date) async throws -> TokenResponse {
        let keys = try await configuration.keyRing()
        let (accessToken, lifetime) = try accessToken(for: authorization, keys: keys, at: now)
        return TokenResponse(
            accessToken: accessToken, refreshToken: authorization.refreshToken?.text,
            idToken: try await idToken(for: authorization, with: [:], keys: keys, at: now),
            scope: authorization.tokenScope,
            expiresIn: lifetime, tokenType: authorization.confirmation.keyThumbprint == nil ? .bearer : .dpop,
            issuedTokenType: authorization.issuedTokenType, recoveryCode: authorization.recoveryCode)
    }

    /// What the authorization endpoint itself hands out. The ID token vouches for what comes with it, so that nothing of
    /// the response can be exchanged on its way through the browser (OpenID Connect Core §3.3.2.11).
    func issue(
        _ authorization: Authorization, for type: ResponseType, code: Secret?, state: String?, at now: Date
    ) async throws -> FrontChannelTokens {
        let keys = try await configuration.keyRing()
        var tokens = FrontChannelTokens()
        var hashes: JSONObject = [:]
        let algorithm = authorization.client.idTokenAlgorithm
        if type.contains(.token) {
            let (text, lifetime) = try accessToken(for: authorization, keys: keys, at: now)
            tokens.accessToken = (text, lifetime)
            hashes["at_hash"] = .string(algorithm.hash(text))
        }
        guard type.contains(.idToken) else { return tokens }
        hashes["c_hash"] = code.map { .string(algorithm.hash($0.text)) }
        hashes["s_hash"] = state.map { .string(algorithm.hash($0)) }
        tokens.idToken = try await idToken(for: authorization, with: hashes, keys: keys, at: now)
        return tokens
    }

    private func accessToken(
        for authorization: Authorization, keys: KeyRing, at now: Date
    ) throws -> (String, lifetime: Int) {
        if let opaque = authorization.opaqueAccessToken {
            return (
                opaque.text, authorization.channel == .back ? Self.opaqueTokenLifetime : Self.opaqueTokenLifetimeForWeb
            )
        }
        guard let registered = authorization.resourceServer else { throw OAuthError.serverError }
        let api = registered.resourceServer
        let lifetime = Self.lifetime(of: authorization, api, at: now)
        let claims = try accessTokenClaims(authorization, api, lifetime: lifetime, at: now)
        switch api.signingAlgorithm {
        case .rs256, .ps256, .es256, .edDSA:
            let key = try keys.current(for: api.signingAlgorithm)
            let header = api.tokenDialect.isRFC9068 ? key.rfc9068Header : key.accessTokenHeader
            return (try JSONWebToken.sign(claims, with: key, header: header), lifetime)
        case .hs256:
            guard let sealed = registered.sealedSigningSecret else { throw OAuthError.serverError }
            let type = api.tokenDialect.isRFC9068 ? "at+jwt" : "JWT"
            return (try JSONWebToken.sign(claims, secret: box.open(sealed), type: type), lifetime)
        }
    }

    private static func lifetime(of authorization: Authorization, _ api: ResourceServer, at now: Date) -> Int {
        let standard = authorization.channel == .back ? api.tokenLifetime : api.tokenLifetimeForWeb
        let left = authorization.latestExpiry.map { Int($0.timeIntervalSince(now)) }
        return min(standard, left ?? standard)
    }

    private func accessTokenClaims(
        _ authorization: Authorization, _ api: ResourceServer, lifetime: Int, at now: Date
    ) throws -> JSONObject {
        let issuedAt = Int64(now.timeIntervalSince1970)
        let clientID = authorization.client.clientID
        var claims: JSONObject = [
            "iss": .string(issuer.text),
            "sub": .string(
                try authorization.subject.user.map { try subjects.sub(of: $0, for: authorization.client) }
                    ?? "\(clientID)@clients"),
            "aud": audience(of: authorization, api),
            "iat": .integer(issuedAt),
            "exp": .integer(issuedAt + Int64(lifetime)),
        ]
        // The userinfo endpoint reads it back: a token of this kind has no row that could tell.
        if let userInfo = authorization.claims?.userInfo, !userInfo.isEmpty {
            claims["claims"] = authorization.claims.map { .string($0.text) }
        }
        if !authorization.tokenScope.isEmpty { claims["scope"] = .string(authorization.tokenScope.text) }
        claims.merge(authorization.organization?.members ?? [:]) { $1 }
        claims["act"] = authorization.actor.map(JSONValue.object)
        if api.tokenDialect.isRFC9068 {
            claims["client_id"] = .string(clientID)
            claims["jti"] = .string(TokenID.make(authorizationID: authorization.authorizationID))
            claims["auth_time"] = authorization.authentication.map {
                .integer(Int64($0.authenticatedAt.timeIntervalSince1970))
            }
        } else {
            claims["azp"] = .string(clientID)
            claims["gty"] = authorization.grantName.map(JSONValue.string)
            // Auth0's tokens have none; where a user's authorization can be taken back, nothing else would tell.
            claims["jti"] = authorization.authorizationID.map { .string(TokenID.make(authorizationID: $0)) }
        }
        if api.identifier == issuer.mfaAudience, authorization.authentication?.multiFactorAt != nil {
            claims["amr"] = ["mfa"]
        }
        claims["cnf"] = authorization.confirmation.claim
        if api.enforcesPolicies, api.tokenDialect.hasPermissions {
            claims["permissions"] = JSONValue(authorization.permissions)
        }
        return claims.merging(customClaims(authorization, api)) { own, _ in own }
    }

    /// What scripts add. The tenant's own API understands claims of its own, which nobody else's may pass for.
    private func customClaims(_ authorization: Authorization, _ api: ResourceServer) -> JSONObject {
        guard let changes = authorization.changes else { return [:] }
        let claims = ClaimNames.visible(changes.accessTokenClaims, scope: authorization.scope)
        return api.isSystem ? claims.filter { ClaimNames.isNamespaced($0.key) } : claims
    }

    /// The userinfo endpoint accepts the token too where `openid` was granted and it can verify the signature.
    private func audience(of authorization: Authorization, _ api: ResourceServer) -> JSONValue {
        guard authorization.scope.contains(Scope.openID), api.signingAlgorithm != .hs256 else {
            return .string(api.identifier)
        }
        return [.string(api.identifier), .string(issuer.userInfoAudience)]
    }

    /// An ID token, OpenID Connect Core §2. The authorization endpoint issues it to whoever asks with `id_token` in the
    /// response type, as Auth0 does, the token endpoint where `openid` was granted; without that scope all of it is left
    /// unspecified (§3.1.2.1).
    /// - Returns: nil where it is not issued.
    private func idToken(
        for authorization: Authorization, with hashes: JSONObject, keys: KeyRing, at now: Date
    ) async throws -> String? {
        guard authorization.scope.contains(Scope.openID) || authorization.channel == .front,
            let user = authorization.subject.user
        else { return nil }
        let client = authorization.client
        let dialect = try await configuration.settings().wireDialect
        var claims = try idTokenClaims(authorization, user, dialect: dialect, at: now)
        claims.merge(hashes) { $1 }
        return try await sign(claims, for: client, with: client.idTokenAlgorithm, keys: keys)
    }

    /// Signs what only `client` is told, such as an ID token or its userinfo.
    func sign(
        _ claims: JSONObject, for client: Client, with algorithm: SigningAlgorithm, keys: KeyRing
    ) async throws -> String {
        switch algorithm {
        case .rs256, .ps256, .es256, .edDSA:
            let key = try keys.current(for: algorithm)
            return try JSONWebToken.sign(claims, with: key, header: key.accessTokenHeader)
        case .hs256:
            guard let sealed = try await configuration.client(client.clientID)?.sealedSecret else {
                throw OAuthError.serverError
            }
            return try JSONWebToken.sign(claims, secret: box.open(sealed))
        }
    }

    private func idTokenClaims(
        _ authorization: Authorization, _ user: User, dialect: WireDialect, at now: Date
    ) throws -> JSONObject {
        let issuedAt = Int64(now.timeIntervalSince1970)
        var claims = UserClaims.claims(
            of: user, scope: authorization.scope, demands: authorization.claims?.idToken ?? [:], dialect: dialect)
        if let changes = authorization.changes {
            claims.merge(ClaimNames.visible(changes.idTokenClaims, scope: authorization.scope)) { $1 }
        }
        claims["iss"] = .string(issuer.text)
        claims["aud"] = .string(authorization.client.clientID)
        try subjects.name(user, in: &claims, for: authorization.client)
        claims["iat"] = .integer(issuedAt)
        claims["exp"] = .integer(issuedAt + Int64(authorization.client.idTokenLifetime))
        claims.merge(authorization.organization?.members ?? [:]) { $1 }
        if let authentication = authorization.authentication {
            claims["sid"] = authentication.sid.map(JSONValue.string)
            claims["nonce"] = authentication.nonce.map(JSONValue.string)
            if authentication.multiFactorAt != nil {
                (claims["acr"], claims["amr"]) = (.string(SecondFactors.context), ["mfa"])
            }
            if authentication.showsTime {
                claims["auth_time"] = .integer(Int64(authentication.authenticatedAt.timeIntervalSince1970))
            }
        }
        return claims
    }
}
