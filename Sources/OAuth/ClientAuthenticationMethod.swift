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
}
