/// A way of obtaining tokens, as clients name it, [RFC 6749 §4](https://www.rfc-editor.org/rfc/rfc6749#section-4).
package struct GrantType: RawRepresentable, Sendable, Hashable, Codable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let authorizationCode = GrantType(rawValue: "authorization_code")
    package static let clientCredentials = GrantType(rawValue: "client_credentials")
    package static let implicit = GrantType(rawValue: "implicit")
    package static let refreshToken = GrantType(rawValue: "refresh_token")
}
