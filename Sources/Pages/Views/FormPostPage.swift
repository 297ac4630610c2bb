/// Carries an authorization response to the application in a form that a script sends at once
/// ([OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html) §2).
package struct FormPostPage: Page {
    package static let template = "form-post"
    private let action: String
    private let parameters: [RequestParameter]

    /// - Parameters:
    ///   - action: the verified redirect URI.
    ///   - parameters: the response's parameters, in their order.
    package init(action: String, parameters: [(name: String, value: String)]) {
        self.action = action
        self.parameters = parameters.map { RequestParameter(name: $0.name, value: $0.value) }
    }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            // A scheme that runs scripts is refused at registration; should one arrive, the form leads nowhere.
            "action": .text(SafeURL.formAction(action) ?? "about:invalid"),
            "parameters": .list(parameters.map { ["name": .text($0.name), "value": .text($0.value)] }),
        ]
    }
}
