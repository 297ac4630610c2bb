import OAuth
import Storage

/// Proves which client a request comes from.
struct ClientAuthenticator: Sendable {
    let services: Services

    /// A confidential client proves itself by the method that it has registered; a public one names itself.
    /// - Throws: ``OAuthError`` `invalid_client`, the same whether the client is unknown or its secret wrong.
    func authenticate(_ credentials: ClientCredentials) async throws -> RegisteredClient {
        guard let registered = try await services.configuration.client(credentials.clientID),
            let proof = ClientAuthenticationMethods.proof(registered.client.tokenEndpointAuthMethod)
        else {
            _ = ClientSecretProof.isRight(credentials.secret, nil)
            throw OAuthError.unknownClient
        }
        try await proof.prove(credentials, of: registered, services)
        return registered
    }
}
