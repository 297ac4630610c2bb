import OAuth
import Storage

/// Proves which client a request comes from.
struct ClientAuthenticator: Sendable {
    let configuration: ConfigurationCache

    /// A confidential client proves itself with its secret, in the header or in the body alike; a public one names
    /// itself, and a secret that it sends counts for nothing.
    /// - Throws: ``OAuthError`` `invalid_client`, the same whether the client is unknown or its secret wrong.
    func authenticate(_ credentials: ClientCredentials) async throws -> RegisteredClient {
        let registered = try await configuration.client(credentials.clientID)
        // A digest of the same length is compared even for an unknown client, so that both answers take as long.
        let expected = registered?.secretDigest ?? Secret("").digest
        let isRight = ConstantTime.equal(credentials.secret?.digest ?? "", expected)
        guard let registered else {
            throw OAuthError.invalidClient(
                hint: "No application has this client_id, or its secret is another one. Compare both with its settings."
            )
        }
        guard registered.client.isConfidential else { return registered }
        guard credentials.secret != nil else {
            throw OAuthError.invalidClient(
                hint: "This application has a secret (token_endpoint_auth_method is not 'none'): send client_secret.")
        }
        guard isRight, registered.secretDigest != nil else {
            throw OAuthError.invalidClient(
                hint: "No application has this client_id, or its secret is another one. Compare both with its settings."
            )
        }
        return registered
    }
}
