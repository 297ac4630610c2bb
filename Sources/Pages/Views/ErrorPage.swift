/// Says what went wrong where nothing may be sent to the application
/// ([RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)).
package struct ErrorPage: Page {
    package static let template = "error"
    private let status: Int
    private let code: String
    private let headline: String
    private let summary: String
    private let requestID: String
    private let development: DevelopmentDetail?

    /// - Parameters:
    ///   - status: the response's HTTP status.
    ///   - code: the OAuth error code.
    ///   - headline: what happened, such as "Callback URL mismatch."
    ///   - summary: one or two sentences for everybody.
    ///   - requestID: what finds the request in the log.
    ///   - development: what only a developer may see; none in production.
    package init(
        status: Int,
        code: String,
        headline: String,
        summary: String,
        requestID: String,
        development: DevelopmentDetail? = nil
    ) {
        self.status = status
        self.code = code
        self.headline = headline
        self.summary = summary
        self.requestID = requestID
        self.development = development
    }

    package var arguments: [String: String] { [:] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "status": .text(String(status)),
            "code": .text(code),
            "headline": .text(headline),
            "summary": .text(summary),
            "requestID": .text(requestID),
            "development": development.map { .group($0.content(context.texts)) } ?? .none,
        ]
    }
}

/// Why a request failed and how to mend it, for the application's developer.
package struct DevelopmentDetail: Sendable, Equatable {
    /// Why it failed.
    package let cause: String
    /// What to do about it.
    package let fix: String
    /// The setting to change, such as "Allowed Callback URLs (callbacks)".
    package let setting: String?
    /// The callback that was sent beside the nearest that is registered.
    package let comparison: CallbackComparison?
    /// The request's parameters; secrets must have been taken out.
    package let parameters: [RequestParameter]

    package init(
        cause: String,
        fix: String,
        setting: String? = nil,
        comparison: CallbackComparison? = nil,
        parameters: [RequestParameter] = []
    ) {
        self.cause = cause
        self.fix = fix
        self.setting = setting
        self.comparison = comparison
        self.parameters = parameters
    }

    func content(_ texts: Texts) -> [String: PageValue] {
        [
            "cause": .text(cause),
            "fix": .text(fix),
            "setting": .optional(setting),
            "comparison": comparison.map { .group($0.content(texts)) } ?? .none,
            "hasParameters": .flag(!parameters.isEmpty),
            "parameters": .list(
                parameters.map { ["name": .text($0.name), "value": .text(VisibleText.shown($0.value))] }
            ),
        ]
    }
}

/// A parameter of a request, by its wire name.
package struct RequestParameter: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
