/// How a client proves who it is at the token endpoint, RFC 7591 §2 `token_endpoint_auth_method`.
package enum ClientAuthenticationMethod: String, Sendable, CaseIterable, Codable {
    /// The client has no secret: a single-page or native application.
    case none
    case clientSecretPost = "client_secret_post"
    case clientSecretBasic = "client_secret_basic"
}
