/// How an authorization response reaches the client: OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post
/// Response Mode, OAuth 2.0 Web Message Response Mode.
package enum ResponseMode: String, Sendable, CaseIterable, Codable {
    case query
    case fragment
    case formPost = "form_post"
    /// A message to the page that opened the window or the frame, as Auth0's single-page SDKs renew their tokens.
    case webMessage = "web_message"

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
