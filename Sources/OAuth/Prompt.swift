/// Which pages a client insists on or forbids, OpenID Connect Core §3.1.2.1.
package enum Prompt: String, Sendable, CaseIterable {
    case none
    case login
    case consent
    case selectAccount = "select_account"

    /// The values of the `prompt` parameter.
    /// - Throws: ``OAuthError`` `invalid_request` for an unknown value, or for `none` beside another.
    package static func parse(_ text: String?) throws(OAuthError) -> Set<Prompt> {
        var prompts: Set<Prompt> = []
        for word in (text ?? "").split(separator: " ") {
            guard let prompt = Prompt(rawValue: String(word)) else {
                throw .invalidRequest(
                    "Unsupported prompt: \(String(word).forDisplay)",
                    hint: "prompt takes none, login, consent and select_account.")
            }
            prompts.insert(prompt)
        }
        guard !prompts.contains(.none) || prompts.count == 1 else {
            throw .invalidRequest(
                "prompt=none cannot be combined with other values",
                hint: "none forbids every page, the others ask for one. Send either.")
        }
        return prompts
    }
}
