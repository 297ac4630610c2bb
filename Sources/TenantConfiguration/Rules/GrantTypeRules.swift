import OAuth
import Storage

/// The grant types that an application may name: those that the server has, and Auth0's others, which are kept.
package enum GrantTypeRules {
    private static let known: Set<String> = [
        "authorization_code", "client_credentials", "implicit", "password", "refresh_token",
        "http://auth0.com/oauth/grant-type/mfa-oob", "http://auth0.com/oauth/grant-type/mfa-otp",
        "http://auth0.com/oauth/grant-type/mfa-recovery-code", "http://auth0.com/oauth/grant-type/passwordless/otp",
        "http://auth0.com/oauth/grant-type/password-realm", "http://auth0.com/oauth/legacy/grant-type/access_token",
        "http://auth0.com/oauth/legacy/grant-type/delegation/id_token",
        "http://auth0.com/oauth/legacy/grant-type/delegation/refresh_token",
        "http://auth0.com/oauth/legacy/grant-type/ro", "http://auth0.com/oauth/legacy/grant-type/ro/jwt-bearer",
        "http://auth0.com/oauth/grant-type/federated-connection-access-token",
        "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
        "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:okta:params:oauth:grant-type:webauthn", "urn:openid:params:grant-type:ciba",
    ]

    /// The names in a client's `grant_types` that no server knows.
    package static func problems(of members: JSONObject) -> [Document.Problem] {
        (members["grant_types"]?.array ?? []).enumerated().compactMap { index, value in
            guard let name = value.string, !known.contains(name) else { return nil }
            let near = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            return Document.Problem(
                path: "grant_types[\(index)]", message: "'\(name.forDisplay)' is no grant type\(near)")
        }
    }
}
