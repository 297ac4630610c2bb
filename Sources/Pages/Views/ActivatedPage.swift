/// Says that a device was let in, or was not.
package struct ActivatedPage: Page {
    package static let template = "activated"
    private let isConnected: Bool

    package init(isConnected: Bool) { self.isConnected = isConnected }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "title": .text(context.texts.text(Self.template, isConnected ? "connected" : "refused")),
            "lede": .text(context.texts.text(Self.template, isConnected ? "connectedLede" : "refusedLede")),
            "isConnected": .flag(isConnected),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
        ]
    }
}
