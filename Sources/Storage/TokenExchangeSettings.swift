import OAuth

/// A client's `token_exchange`: which kinds of token exchange it may use.
package struct TokenExchangeSettings: Sendable, Hashable {
    /// Whether an API's own client may act on behalf of the users whose tokens the API is sent.
    package var allowsOnBehalfOf = false
    /// Whether it may use profiles of the tenant's own, of which there are none yet.
    private var allowsCustomAuthentication = false

    private enum Kind: String {
        case onBehalfOf = "on_behalf_of_token_exchange"
        case customAuthentication = "custom_authentication"
    }

    package init() {}

    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document) throws(Document.Problem) {
        var document = document
        let name = "allow_any_profile_of_type"
        for (index, text) in try (document.strings(name) ?? []).enumerated() {
            switch Kind(rawValue: text) {
            case .onBehalfOf: allowsOnBehalfOf = true
            case .customAuthentication: allowsCustomAuthentication = true
            case nil:
                throw document.problem(
                    "\(name)[\(index)]",
                    "'\(text.forDisplay)' is none of on_behalf_of_token_exchange, custom_authentication")
            }
        }
        _ = try document.remaining(known: [])
    }

    /// The settings as Auth0 writes them; nil where there are none.
    package var document: JSONObject? {
        let kinds =
            (allowsCustomAuthentication ? [Kind.customAuthentication] : []) + (allowsOnBehalfOf ? [.onBehalfOf] : [])
        return kinds.isEmpty ? nil : ["allow_any_profile_of_type": JSONValue(kinds.map(\.rawValue))]
    }
}
