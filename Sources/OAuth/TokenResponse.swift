/// A successful answer of the token endpoint, [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1).
package struct TokenResponse: Sendable, Encodable {
    package let accessToken: String
    package let refreshToken: String?
    package let idToken: String?
    /// What was granted; absent where it is empty.
    package let scope: String?
    /// Seconds until the access token expires.
    package let expiresIn: Int
    package let tokenType: TokenType
    /// What the access token is, in the answer to a token exchange.
    package let issuedTokenType: String?
    /// Auth0's: the user's next recovery code, in the answer to one.
    package let recoveryCode: String?

    package init(
        accessToken: String, refreshToken: String?, idToken: String?, scope: Scope, expiresIn: Int,
        tokenType: TokenType = .bearer, issuedTokenType: String? = nil, recoveryCode: String? = nil
    ) {
        (self.issuedTokenType, self.recoveryCode) = (issuedTokenType, recoveryCode)
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.idToken = idToken
        self.scope = scope.isEmpty ? nil : scope.text
        self.expiresIn = expiresIn
        self.tokenType = tokenType
    }

    private enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case refreshToken = "refresh_token"
        case idToken = "id_token"
        case scope
        case expiresIn = "expires_in"
        case tokenType = "token_type"
        case issuedTokenType = "issued_token_type"
        case recoveryCode = "recovery_code"
    }
}
