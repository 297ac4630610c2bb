/// The `resource` parameter: which API a token is for, [RFC 8707](https://www.rfc-editor.org/rfc/rfc8707).
package enum ResourceIndicator {
    /// - Throws: ``OAuthError`` `invalid_target` for what is not an absolute URI, or has a fragment (RFC 8707 §2).
    package static func parse(_ text: String?) throws(OAuthError) -> String? {
        guard let text else { return nil }
        guard text.utf8.count <= 600, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("#"),
            let colon = text.firstIndex(of: ":"), isScheme(text[..<colon]), text.index(after: colon) < text.endIndex
        else {
            throw OAuthError(
                .invalidTarget, "Invalid resource: \(text.forDisplay)",
                hint: "resource is the identifier of an API, an absolute URI without a fragment.")
        }
        return text
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}
