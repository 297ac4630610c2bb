/// Asks whether the user wants to log out, where nothing proves that they do.
///
/// Posts `_csrf`, `action` (`accept` or `deny`) and the logout request's parameters to `/u/logout`.
package struct LogoutPage: Page {
    package static let template = "logout"
    private let csrfToken: String
    private let applicationName: String?
    private let applicationLogoURL: String?
    private let parameters: [RequestParameter]
    private let problem: FormProblem?

    /// - Parameters:
    ///   - applicationName: the application that asks for the logout, where the request names one.
    ///   - parameters: what the request asks for, sent back with the answer.
    ///   - problem: why the form comes back.
    package init(
        csrfToken: String, applicationName: String?, applicationLogoURL: String? = nil,
        parameters: [(name: String, value: String)] = [], problem: FormProblem? = nil
    ) {
        self.csrfToken = csrfToken
        (self.applicationName, self.applicationLogoURL) = (applicationName, applicationLogoURL)
        self.parameters = parameters.map { RequestParameter(name: $0.name, value: $0.value) }
        self.problem = problem
    }

    package var arguments: [String: String] { applicationName.map { ["application": $0] } ?? [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        let arguments = arguments.merging(["tenant": context.chrome.tenantName]) { own, _ in own }
        return [
            "lede": .text(
                context.texts.text(Self.template, applicationName == nil ? "ledeUnknown" : "lede", arguments)),
            "logoURL": .optional((applicationLogoURL ?? context.chrome.logoURL).flatMap(SafeURL.image)),
            "csrfToken": .text(csrfToken),
            "parameters": .list(parameters.map { ["name": .text($0.name), "value": .text($0.value)] }),
            "alert": .optional(problem.map { context.texts.text("problems", $0.key) }),
        ]
    }
}
