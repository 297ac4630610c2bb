/// A way of obtaining tokens, as clients name it, [RFC 6749 §4](https://www.rfc-editor.org/rfc/rfc6749#section-4).
package struct GrantType: RawRepresentable, Sendable, Hashable, Codable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package static let authorizationCode = GrantType(rawValue: "authorization_code")
    package static let clientCredentials = GrantType(rawValue: "client_credentials")
    /// [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4).
    package static let deviceCode = GrantType(rawValue: "urn:ietf:params:oauth:grant-type:device_code")
    package static let implicit = GrantType(rawValue: "implicit")
    /// [RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1).
    package static let jwtBearer = GrantType(rawValue: "urn:ietf:params:oauth:grant-type:jwt-bearer")
    /// Auth0's: a one-time code of an app, after an `mfa_required`.
    package static let mfaOTP = GrantType(rawValue: "http://auth0.com/oauth/grant-type/mfa-otp")
    /// Auth0's: a code that was sent to the user, after an `mfa_required`.
    package static let mfaOOB = GrantType(rawValue: "http://auth0.com/oauth/grant-type/mfa-oob")
    /// Auth0's: a recovery code, after an `mfa_required`.
    package static let mfaRecoveryCode = GrantType(rawValue: "http://auth0.com/oauth/grant-type/mfa-recovery-code")
    package static let password = GrantType(rawValue: "password")
    /// Auth0's: the password of a user of a connection that the request names.
    package static let passwordRealm = GrantType(rawValue: "http://auth0.com/oauth/grant-type/password-realm")
    /// Auth0's: a code that was sent to an address.
    package static let passwordlessOTP = GrantType(rawValue: "http://auth0.com/oauth/grant-type/passwordless/otp")
    package static let refreshToken = GrantType(rawValue: "refresh_token")
    /// [RFC 8693 §2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1).
    package static let tokenExchange = GrantType(rawValue: "urn:ietf:params:oauth:grant-type:token-exchange")
}
