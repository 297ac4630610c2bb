/// What an authorization response carries: a set of words in any order,
/// [RFC 6749 §3.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.1) and OAuth 2.0 Multiple Response Types.
package struct ResponseType: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let code = ResponseType(rawValue: 1)
    package static let idToken = ResponseType(rawValue: 2)
    package static let token = ResponseType(rawValue: 4)

    /// The sets that the authorization endpoint answers.
    package static let supported: [ResponseType] = [
        .code, .token, .idToken, [.code, .token], [.code, .idToken], [.idToken, .token], [.code, .idToken, .token],
    ]

    private static let words: [(String, ResponseType)] = [("code", .code), ("id_token", .idToken), ("token", .token)]

    /// - Throws: ``OAuthError`` `unsupported_response_type` for an unknown word, a word sent twice or a set that is
    ///   not in ``supported``.
    package init(parsing text: String) throws(OAuthError) {
        var parsed: ResponseType = []
        for word in text.split(separator: " ") {
            guard let (_, type) = Self.words.first(where: { $0.0 == word }), !parsed.contains(type) else {
                throw Self.unsupported(text)
            }
            parsed.insert(type)
        }
        guard Self.supported.contains(parsed) else { throw Self.unsupported(text) }
        self = parsed
    }

    private static func unsupported(_ text: String) -> OAuthError {
        OAuthError(
            .unsupportedResponseType, "Unsupported response type: \(text.forDisplay)",
            hint: "Send response_type=" + supported.map(\.text).joined(separator: ", or response_type="))
    }

    /// The words, in the order in which they are advertised.
    package var text: String {
        Self.words.filter { contains($0.1) }.map(\.0).joined(separator: " ")
    }

    /// The grants that a client must be allowed for this response type.
    package var grantTypes: Set<GrantType> {
        var grants: Set<GrantType> = []
        if contains(.code) { grants.insert(.authorizationCode) }
        if hasTokens { grants.insert(.implicit) }
        return grants
    }

    /// Whether the response itself carries a token.
    package var hasTokens: Bool { !isDisjoint(with: [.token, .idToken]) }

    /// Where the response goes unless the request says otherwise: a token must not travel in a query.
    package var defaultMode: ResponseMode { hasTokens ? .fragment : .query }
}
