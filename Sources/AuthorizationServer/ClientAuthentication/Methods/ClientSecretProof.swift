import OAuth
import Storage

/// `client_secret_basic` and `client_secret_post`, [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1):
/// the secret in the header or in the body. A client that has registered one of the two may use the other, as with Auth0:
/// both show the same secret, and RFC 6749 asks every server to take the header.
enum ClientSecretProof: ClientProof {
    static let methods: Set<ClientAuthenticationMethod> = [.clientSecretBasic, .clientSecretPost]

    static func prove(
        _ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services
    ) throws(OAuthError) {
        guard let secret = credentials.secret else {
            throw .invalidClient(
                hint: "This application has a secret (token_endpoint_auth_method is "
                    + "'\(registered.client.tokenEndpointAuthMethod.rawValue)'): send client_secret.")
        }
        guard isRight(secret, registered.secretDigest) else { throw .unknownClient }
    }

    /// A digest of the same length is compared even where there is none, so that both answers take as long.
    static func isRight(_ secret: Secret?, _ digest: String?) -> Bool {
        let isEqual = ConstantTime.equal(secret?.digest ?? "", digest ?? Secret("").digest)
        return isEqual && digest != nil && secret != nil
    }
}

extension OAuthError {
    /// The same whether there is no such client or its secret is another one.
    static let unknownClient = OAuthError.invalidClient(
        hint: "No application has this client_id, or its secret is another one. Compare both with its settings.")
}
