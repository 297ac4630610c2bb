/// Asks for the code that a device shows.
///
/// Sends `user_code` to `/activate?user_code=…`.
package struct ActivatePage: Page {
    package static let template = "activate"
    private let userCode: String
    private let problem: FormProblem?

    /// - Parameters:
    ///   - userCode: what the user typed before.
    ///   - problem: why the form comes back.
    package init(userCode: String = "", problem: FormProblem? = nil) {
        (self.userCode, self.problem) = (userCode, problem)
    }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "userCode": .text(userCode),
            "problem": .optional(problem.map { context.texts.text("problems", $0.key) }),
            "logoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
        ]
    }
}
