/// Asks whether the code is the one that the user's device shows, before anything else happens: whoever was sent here by
/// somebody else notices it now.
///
/// Posts `user_code`, `_csrf` and `action=confirm` or `action=cancel` to `/activate`.
package struct ActivateConfirmPage: Page {
    package static let template = "activate-confirm"
    private let userCode: String
    private let csrfToken: String
    private let applicationName: String
    private let applicationLogoURL: String?
    private let problem: FormProblem?

    /// - Parameters:
    ///   - userCode: the code as the device shows it.
    ///   - problem: why the form comes back.
    package init(
        userCode: String,
        csrfToken: String,
        applicationName: String,
        applicationLogoURL: String? = nil,
        problem: FormProblem? = nil
    ) {
        self.userCode = userCode
        self.csrfToken = csrfToken
        self.applicationName = applicationName
        self.applicationLogoURL = applicationLogoURL
        self.problem = problem
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "userCode": .text(userCode),
            "csrfToken": .text(csrfToken),
            "lede": context.texts.runs(Self.template, "lede", arguments),
            "alert": .optional(problem.map { context.texts.text("problems", $0.key) }),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
        ]
    }
}
