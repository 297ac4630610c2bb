import OAuth
import Storage

/// The revocation endpoint, [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).
package struct RevocationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Takes back a refresh token with its family and what else its authorization issued, or an opaque access token. A
    /// token that is unknown, or another client's, is none: the answer is the same (RFC 7009 §2.2).
    /// - Throws: ``OAuthError`` `invalid_client`, or `invalid_request` without a token.
    package func revoke(_ parameters: Parameters, authorizationHeader: String?) async throws {
        let credentials = try ClientCredentials(authorizationHeader: authorizationHeader, parameters: parameters)
        let client = try await ClientAuthenticator(configuration: services.configuration).authenticate(credentials)
            .client
        let digest = Secret(try parameters.require("token")).digest
        try await services.stores.database.write { transaction in
            if let token = try RefreshTokenStore.find(digest: digest, in: transaction),
                token.family.clientID == client.clientID
            {
                try RefreshTokenStore.revoke(authorizationID: token.family.authorizationID, in: transaction)
            } else {
                try AccessTokenStore.delete(digest: digest, clientID: client.clientID, in: transaction)
            }
        }
    }
}
