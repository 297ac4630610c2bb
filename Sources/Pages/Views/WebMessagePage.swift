/// Tells an authorization response to the window that opened or framed the page, with Auth0's title and message
/// (OAuth 2.0 Web Message Response Mode). Without JavaScript nobody could have opened it.
package struct WebMessagePage: Page {
    package static let template = "web-message"
    private let origin: String
    private let parameters: [RequestParameter]

    /// - Parameters:
    ///   - origin: the only origin whose window gets the message.
    ///   - parameters: the response's parameters, in their order.
    package init(origin: String, parameters: [(name: String, value: String)]) {
        self.origin = origin
        self.parameters = parameters.map { RequestParameter(name: $0.name, value: $0.value) }
    }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "origin": .text(origin),
            "parameters": .list(parameters.map { ["name": .text($0.name), "value": .text($0.value)] }),
        ]
    }
}
