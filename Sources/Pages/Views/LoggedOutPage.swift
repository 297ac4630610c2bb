/// Says that the session has ended, tells the applications' pages in frames, and goes on where there is a URL to go to.
package struct LoggedOutPage: Page {
    package static let template = "logged-out"
    private let applicationName: String?
    private let frames: [String]
    private let continueURL: String?

    /// - Parameters:
    ///   - applicationName: the application that asked for the logout, where it is known.
    ///   - frames: the pages in which applications forget their user (Front-Channel Logout 1.0 §3).
    ///   - continueURL: a verified URL to go on to once the frames have loaded.
    package init(applicationName: String? = nil, frames: [String] = [], continueURL: String? = nil) {
        self.applicationName = applicationName
        self.frames = frames
        self.continueURL = continueURL
    }

    /// Seconds that a browser without JavaScript gives the frames.
    private static let patience = 5

    package var arguments: [String: String] { applicationName.map { ["application": $0] } ?? [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let next = continueURL.flatMap(SafeURL.formAction)
        let key = next != nil ? "ledeContinue" : applicationName == nil ? "lede" : "ledeApplication"
        return [
            "lede": .text(context.texts.text(Self.template, key, arguments)),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
            "frames": .list(frames.compactMap(SafeURL.link).map { ["source": .text($0)] }),
            "continueURL": .optional(next),
            "refresh": .optional(next.map { "\(Self.patience); url=\($0)" }),
        ]
    }
}
