import Foundation
import OAuth
import Storage

/// An access token of ours that is good at this very moment: what may take it back has been looked at, and has not.
struct ActiveAccessToken: Sendable {
    /// The claims of a JSON Web Token; of an opaque token, what its row says under the same names.
    let claims: JSONObject
    /// The client that the token was issued to.
    let client: Client
    /// The user that it stands for; nil for a client that acts for itself.
    let user: User?
    let scope: Scope
    /// The identifiers that `aud` names.
    let audiences: [String]
    /// Whether this server alone can have made it. An API that has HS256 knows the secret, and can make any token for
    /// itself: that is good enough for the API, and for nobody else.
    let isOursAlone: Bool

    /// What whoever uses the token must prove.
    var confirmation: Confirmation { Confirmation(claims: claims) }
}

/// Finds out what an access token is worth now, for whoever must not take its signature's word for it.
struct ActiveAccessTokens: Sendable {
    let services: Services

    /// The token, or nil where it is none of ours, has expired, or was taken back at any level: by itself or with its
    /// authorization, with its user (blocked or deleted) or their membership in its organization, its client, its API, its
    /// client grant, or the key that signed it.
    func find(_ token: String) async throws -> ActiveAccessToken? {
        token.contains(".") ? try await signed(token) : try await opaque(token)
    }

    private func opaque(_ token: String) async throws -> ActiveAccessToken? {
        let found = try await services.stores.accessTokens.find(digest: Secret(token).digest, at: services.now())
        guard let found, let client = try await services.configuration.client(found.clientID)?.client,
            let user = try await user(found.userID, in: found.organizationID)
        else { return nil }
        let audience = services.issuer.userInfoAudience
        var further: JSONObject = found.confirmation.claim.map { ["cnf": $0] } ?? [:]
        further["org_id"] = found.organizationID.map(JSONValue.string)
        return ActiveAccessToken(
            claims: further.merging([
                "iss": .string(services.issuer.text),
                "sub": .string(try services.secret.subjects.sub(of: user, for: client)), "aud": .string(audience),
                "exp": .integer(Int64(found.expiresAt.timeIntervalSince1970)), "scope": .string(found.scope.text),
            ]) { $1 },
            client: client, user: user, scope: found.scope, audiences: [audience], isOursAlone: true)
    }

    private func signed(_ token: String) async throws -> ActiveAccessToken? {
        guard let (claims, isOursAlone) = try await verified(token), claims["iss"]?.string == services.issuer.text,
            let expiry = claims["exp"]?.integer, Double(expiry) > services.now().timeIntervalSince1970,
            // An ID token has no `azp`, and its audience is no API.
            let clientID = (claims["azp"] ?? claims["client_id"])?.string, let subject = claims["sub"]?.string,
            let client = try await services.configuration.client(clientID)?.client,
            let api = try await resourceServer(claims), let scope = try? Scope(parsing: claims["scope"]?.string ?? ""),
            try await !isRevoked(claims)
        else { return nil }
        var found: User?
        if subject == "\(clientID)@clients" {
            guard
                try await services.configuration.clientGrant(
                    clientID: clientID, audience: api.resourceServer.identifier) != nil
            else { return nil }
        } else {
            guard let id = services.secret.subjects.userID(of: subject, for: client),
                let user = try await user(id, in: claims["org_id"]?.string)
            else { return nil }
            found = user
        }
        return ActiveAccessToken(
            claims: claims, client: client, user: found, scope: scope, audiences: Self.audiences(claims),
            isOursAlone: isOursAlone)
    }

    /// Whether the authorization that issued a signed token was taken back, with its refresh token or because its code was
    /// used twice.
    func isRevoked(_ claims: JSONObject) async throws -> Bool {
        guard let id = TokenID.authorizationID(in: claims) else { return false }
        return try await services.stores.revokedAuthorizations.contains(id)
    }

    /// The user whom a token may still stand for.
    /// - Parameter organizationID: the organization that the token was issued for; nil for none.
    func user(_ id: String, in organizationID: String?) async throws -> User? {
        try await services.stores.database.read { transaction in
            guard let user = try UserStore.find(id, in: transaction), !user.isBlocked else { return nil }
            guard let organizationID else { return user }
            return try OrganizationStore.isMember(id, of: organizationID, in: transaction) ? user : nil
        }
    }

    /// The claims that one of the tenant's keys proves or, of a token for an API that uses HS256, that API's secret. The
    /// API is looked for before anything is proved, and decides the algorithm: a token cannot choose its own.
    private func verified(_ token: String) async throws -> (JSONObject, isOursAlone: Bool)? {
        if let claims = JSONWebToken.verify(token, keys: try await services.configuration.keyRing()) {
            return (claims, true)
        }
        guard let unproved = JSONWebToken.unverifiedClaims(token), let api = try await resourceServer(unproved),
            api.resourceServer.signingAlgorithm == .hs256, let sealed = api.sealedSigningSecret
        else { return nil }
        return JSONWebToken.verify(token, secret: try services.secret.box.open(sealed)).map { ($0, false) }
    }

    /// The API among the audiences.
    private func resourceServer(_ claims: JSONObject) async throws -> RegisteredResourceServer? {
        for audience in Self.audiences(claims).prefix(4) {
            if let found = try await services.configuration.resourceServer(audience) { return found }
        }
        return nil
    }

    private static func audiences(_ claims: JSONObject) -> [String] {
        claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.array?.compactMap(\.string) ?? []
    }
}
