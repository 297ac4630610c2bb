/// Says that the session has ended, tells the applications' pages in frames, and goes on where there is a URL to go to.
package struct LoggedOutPage: Page {
    package static let template = "logged-out"
    private let applicationName: String?
    private let frames: [String]
    private let continueURL: String?
    private let goesOn: Bool

    /// - Parameters:
    ///   - applicationName: the application that asked for the logout, where it is known.
    ///   - frames: the pages in which applications forget their user (Front-Channel Logout 1.0 §3).
    ///   - continueURL: a registered URL to go on to once the frames have loaded.
    ///   - goesOn: whether the page goes on by itself; otherwise it names the host and leaves that to the user.
    package init(
        applicationName: String? = nil, frames: [String] = [], continueURL: String? = nil, goesOn: Bool = true
    ) {
        self.applicationName = applicationName
        self.frames = frames
        self.continueURL = continueURL
        self.goesOn = goesOn
    }

    /// Seconds that a browser without JavaScript gives the frames.
    private static let patience = 5

    package var arguments: [String: String] { applicationName.map { ["application": $0] } ?? [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let next = continueURL.flatMap(SafeURL.formAction)
        let key = next != nil && goesOn ? "ledeContinue" : applicationName == nil ? "lede" : "ledeApplication"
        let host = next.map { SafeURL.place($0) } ?? ""
        return [
            "lede": .text(context.texts.text(Self.template, key, arguments)),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
            "frames": .list(frames.compactMap(SafeURL.link).map { ["source": .text($0)] }),
            "continueURL": .optional(next),
            "continueText": .text(
                context.texts.text(Self.template, goesOn ? "continue" : "continueTo", ["host": host])),
            "refresh": .optional(next.flatMap { goesOn ? $0 : nil }.map { "\(Self.patience); url=\($0)" }),
        ]
    }
}
