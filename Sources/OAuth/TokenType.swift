/// How an access token is presented to an API: the `token_type` of responses and the scheme of the `Authorization` header.
package enum TokenType: String, Sendable, Encodable {
    /// Whoever has the token may use it, [RFC 6750](https://www.rfc-editor.org/rfc/rfc6750).
    case bearer = "Bearer"
    /// The token is bound to a key, [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449).
    case dpop = "DPoP"
}
