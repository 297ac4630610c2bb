/// Says that the session has ended, where there is no URL to return to.
package struct LoggedOutPage: Page {
    package static let template = "logged-out"
    private let applicationName: String?

    /// - Parameter applicationName: the application that asked for the logout, where it is known.
    package init(applicationName: String? = nil) {
        self.applicationName = applicationName
    }

    package var arguments: [String: String] { applicationName.map { ["application": $0] } ?? [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let key = applicationName == nil ? "lede" : "ledeApplication"
        return [
            "lede": .text(context.texts.text(Self.template, key, arguments)),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
        ]
    }
}
