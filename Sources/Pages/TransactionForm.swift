/// What the forms of a login transaction's pages have in common: where they go, what proves them, and the page's logo.
struct TransactionForm {
    let action: String
    let state: String
    let csrfToken: String
    let logoURL: String?
    let problem: FormProblem?

    /// - Parameter path: the page's own path.
    init(_ path: String, state: String, csrfToken: String, logoURL: String?, problem: FormProblem?) {
        (action, self.state) = ("\(path)?state=\(SafeURL.queryValue(state))", state)
        (self.csrfToken, self.logoURL, self.problem) = (csrfToken, logoURL, problem)
    }

    /// The values of the form.
    func content(_ context: PageContext) -> [String: PageValue] {
        [
            "action": .text(action),
            "state": .text(state),
            "csrfToken": .text(csrfToken),
            "logoURL": .optional((logoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
            "alert": .optional(problem.map { $0.words ?? context.texts.text("problems", $0.key) }),
        ]
    }
}
