import OAuth
import Storage

/// The revocation endpoint, [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).
package struct RevocationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Takes back a refresh token with its family and what else its authorization issued, or an opaque access token. A
    /// token that is unknown, or another client's, is none: the answer is the same (RFC 7009 §2.2). `token_type_hint`
    /// changes nothing, right or wrong: the tokens tell their kind (§2.1).
    /// - Throws: ``OAuthError`` `invalid_client`, `invalid_request` without a token, or `unsupported_token_type` for a
    ///   signed access token of the client's, which APIs accept until it expires; Auth0's dialect says nothing of that.
    package func revoke(
        _ parameters: Parameters, authorizationHeader: String?, certificate: ClientCertificate? = nil
    ) async throws {
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: certificate)
        let client = try await ClientAuthenticator(services: services).authenticate(credentials)
            .client
        let token = try parameters.require("token")
        let (digest, now) = (Secret(token).digest, services.now())
        let family = try await services.stores.database.write { transaction -> RefreshTokenFamily? in
            if let token = try RefreshTokenStore.find(digest: digest, in: transaction),
                token.family.clientID == client.clientID
            {
                try RefreshTokenStore.revoke(
                    authorizationID: token.family.authorizationID, at: now, in: transaction)
                return token.family
            }
            try AccessTokenStore.delete(digest: digest, clientID: client.clientID, in: transaction)
            return nil
        }
        if let family {
            let trail = LogTrail()
            trail.note { facts in
                (facts.clientID, facts.userID) = (client.clientID, family.userID)
                (facts.audience, facts.scope) = (family.audience, family.scope.text)
            }
            services.log(.revocation, trail, description: "The application has revoked a refresh token")
        }
        try await refuseSigned(token, client)
    }

    private func refuseSigned(_ token: String, _ client: Client) async throws {
        guard token.contains("."), !(try await services.configuration.settings().wireDialect.ignoresSignedRevocation),
            let found = try await ActiveAccessTokens(services: services).find(token),
            found.client.clientID == client.clientID
        else { return }
        throw OAuthError(
            .unsupportedTokenType, "A signed access token cannot be revoked",
            hint: "It ends by itself. Revoke the refresh token, and give the API a shorter token_lifetime.")
    }
}
