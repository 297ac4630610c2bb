/// Says that nothing has ended, to a user who did not want to log out.
package struct StillLoggedInPage: Page {
    package static let template = "still-logged-in"

    package init() {}

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        ["logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image))]
    }
}
