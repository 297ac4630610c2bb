/// How a client proves who it is at the token endpoint, RFC 7591 §2 `token_endpoint_auth_method`.
package enum ClientAuthenticationMethod: String, Sendable, CaseIterable, Codable {
    /// The client has no secret: a single-page or native application.
    case none
    case clientSecretPost = "client_secret_post"
    case clientSecretBasic = "client_secret_basic"
    /// An assertion signed with the secret, OpenID Connect Core §9.
    case clientSecretJWT = "client_secret_jwt"
    /// An assertion signed with the client's own key, OpenID Connect Core §9.
    case privateKeyJWT = "private_key_jwt"
    /// A certificate of an authority that the proxy trusts, with the subject that the client has registered
    /// ([RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1)).
    case tlsClientAuth = "tls_client_auth"
    /// The very certificate that the client has registered, whoever has signed it
    /// ([RFC 8705 §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2)).
    case selfSignedTLSClientAuth = "self_signed_tls_client_auth"

    /// Whether the client shares a secret with the server.
    package var usesSecret: Bool {
        switch self {
        case .clientSecretPost, .clientSecretBasic, .clientSecretJWT: true
        case .none, .privateKeyJWT, .tlsClientAuth, .selfSignedTLSClientAuth: false
        }
    }

    /// Whether the certificate of the client's TLS connection proves it.
    package var usesCertificate: Bool { self == .tlsClientAuth || self == .selfSignedTLSClientAuth }
}
