import Foundation
import OAuth
import Storage

/// The introspection endpoint, [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662): what a token is worth now, for an API
/// that does not want to rely on its signature alone, or that was sent an opaque one.
package struct IntrospectionEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What `token` means, or `{"active": false}` and not a word more (RFC 7662 §2.2) where it is good for nothing or the
    /// caller has no business with it. An API's own client (`app_type` `resource_server`) may ask about the access
    /// tokens for its API, and every client with credentials about what was issued to itself. `token_type_hint` changes
    /// nothing: the tokens tell their kind (§2.1).
    /// - Throws: ``OAuthError`` `invalid_client`, also for a client without credentials (§2.1 asks for them, so that
    ///   nobody can try tokens), or `invalid_request` without a token.
    package func introspect(
        _ parameters: Parameters, authorizationHeader: String?, certificate: ClientCertificate? = nil
    ) async throws -> JSONObject {
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: certificate)
        let caller = try await ClientAuthenticator(services: services).authenticate(credentials)
            .client
        guard caller.isConfidential else {
            throw OAuthError.invalidClient(
                hint: "Introspection needs a client with credentials; this application has none "
                    + "(token_endpoint_auth_method is 'none').")
        }
        let token = try parameters.require("token")
        if let found = try await ActiveAccessTokens(services: services).find(token) {
            return Self.maySee(found, caller) ? Self.description(of: found) : Self.inactive
        }
        return try await refreshToken(Secret(token), of: caller) ?? Self.inactive
    }

    private static let inactive: JSONObject = ["active": false]

    private static func maySee(_ token: ActiveAccessToken, _ caller: Client) -> Bool {
        token.client.clientID == caller.clientID
            || caller.resourceServerIdentifier.map(token.audiences.contains) == true
    }

    /// The token's own claims, with the names of RFC 7662 §2.2 for those that it has under another or not at all.
    private static func description(of token: ActiveAccessToken) -> JSONObject {
        var members = token.claims
        members["active"] = true
        members["client_id"] = .string(token.client.clientID)
        members["token_type"] = Confirmation(claims: token.claims).keyThumbprint == nil ? "Bearer" : "DPoP"
        members["username"] = token.user.flatMap { username(of: $0, token.scope) }
        return members
    }

    /// The name that the user signs in with, where the scope reveals it anyway (RFC 7662 §5).
    private static func username(of user: User, _ scope: Scope) -> JSONValue? {
        if scope.contains("email"), let email = user.email { return .string(email) }
        return scope.contains("profile") ? user.username.map(JSONValue.string) : nil
    }

    /// A refresh token is its client's affair alone; asking about it is no use of it.
    private func refreshToken(_ sent: Secret, of caller: Client) async throws -> JSONObject? {
        let found = try await services.stores.database.read { transaction in
            try RefreshTokenStore.find(digest: sent.digest, in: transaction).flatMap { token in
                let family = token.family
                let ending = try LoginOrganization.ending(
                    of: family.userID, in: family.organizationID, for: caller, transaction)
                return ending == nil ? (token, try UserStore.find(family.userID, in: transaction)) : nil
            }
        }
        guard let (token, user) = found, let user, !user.isBlocked, token.family.clientID == caller.clientID,
            caller.grantTypes.contains(.refreshToken), token.replacedAt == nil,
            RefreshTokenGrant.isAlive(token, of: caller, at: services.now())
        else { return nil }
        var members: JSONObject = [
            "active": true, "client_id": .string(caller.clientID), "iss": .string(services.issuer.text),
            "sub": .string(try services.secret.subjects.sub(of: user, for: caller)),
            "scope": .string(token.family.scope.text),
            "aud": .string(token.family.audience ?? services.issuer.userInfoAudience),
            "iat": .integer(Int64(token.issuedAt.timeIntervalSince1970)),
        ]
        let idleEnd = caller.refreshToken.idleLifetime.map { token.lastUsedAt.addingTimeInterval(Double($0)) }
        members["exp"] = [token.family.expiresAt, idleEnd].compactMap(\.self).min()
            .map { .integer(Int64($0.timeIntervalSince1970)) }
        members["username"] = Self.username(of: user, token.family.scope)
        return members
    }
}
