import OAuth
import Storage

/// One way for a client to prove itself at the token endpoint and its siblings.
///
/// To add one, conform in a file of its own in Methods/ and list it in ``ClientAuthenticationMethods``.
protocol ClientProof: Sendable {
    /// The registered methods that it serves. What a client has registered decides how it is proved, and nothing else:
    /// a client with a key is never proved by a secret.
    static var methods: Set<ClientAuthenticationMethod> { get }

    /// Proves that `credentials` are those of `registered`.
    /// - Throws: ``OAuthError`` `invalid_client`.
    static func prove(
        _ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services
    ) async throws
}

/// Every way of proving a client, one line each.
enum ClientAuthenticationMethods {
    static let all: [any ClientProof.Type] = [
        NoProof.self,
        ClientSecretProof.self,
        SecretAssertionProof.self,
        KeyAssertionProof.self,
        TLSClientProof.self,
        SelfSignedTLSClientProof.self,
    ]

    /// The proof of clients that have registered `method`.
    static func proof(_ method: ClientAuthenticationMethod) -> (any ClientProof.Type)? {
        all.first { $0.methods.contains(method) }
    }
}
