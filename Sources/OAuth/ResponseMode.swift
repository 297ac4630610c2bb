/// How an authorization response reaches the client: OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post
/// Response Mode.
package enum ResponseMode: String, Sendable, CaseIterable, Codable {
    case query
    case fragment
    case formPost = "form_post"

    /// - Throws: ``OAuthError`` `invalid_request` for a mode that is not supported.
    package init(parsing text: String) throws(OAuthError) {
        guard let mode = ResponseMode(rawValue: text) else {
            throw .invalidRequest(
                "Unsupported response mode: \(text.forDisplay)",
                hint: "Send one of " + Self.allCases.map(\.rawValue).joined(separator: ", ") + ", or leave it out.")
        }
        self = mode
    }
}
