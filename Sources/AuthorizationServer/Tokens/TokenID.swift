import OAuth

/// The `jti` of access tokens ([RFC 7519 §4.1.7](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7)): unlike that of any
/// other token and, where a user's authorization has issued the token, naming it. No row stands for a signed token, so
/// this alone tells whether what it came from was taken back.
enum TokenID {
    /// A new one.
    static func make(authorizationID: String?) -> String {
        let own = Base64URL.encode(RandomBytes.make(16))
        return authorizationID.map { "\($0).\(own)" } ?? own
    }

    /// The authorization that issued the token with these claims; nil where none did.
    static func authorizationID(in claims: JSONObject) -> String? {
        guard let parts = claims["jti"]?.string?.split(separator: "."), parts.count == 2 else { return nil }
        return String(parts[0])
    }
}
