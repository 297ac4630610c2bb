import Hummingbird

/// Something that went wrong, as a page that says what, and what to do.
struct Problem: HTTPResponseError {
    let status: HTTPResponse.Status
    let title: String
    let explanation: String
    /// The OAuth error, when there is one.
    var code: String?
    var hint: String?

    init(_ status: HTTPResponse.Status, _ title: String, _ explanation: String) {
        (self.status, self.title, self.explanation) = (status, title, explanation)
    }

    /// The identity server sent the browser back with an error instead of a code
    /// ([RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)).
    init(_ answer: AuthorizationResponse) {
        self.init(
            .forbidden, "You are not signed in", answer.errorDescription ?? "The identity server gave no description.")
        code = answer.error
        hint =
            switch answer.error {
            case "access_denied": "You declined, or the identity server does not let you in. You may try again."
            case "unauthorized_client": "Allow the application the grants that the flow needs: see the README."
            case "invalid_scope", "invalid_request": "A parameter of the authorization URL does not suit the server."
            case "login_required", "consent_required", "interaction_required": "The server must ask the user first."
            default: "The log of the identity server says more."
            }
    }

    /// The token endpoint refused the code.
    init(_ error: TokenError) {
        self.init(.badGateway, "The code was refused", error.description ?? "The token endpoint gave no description.")
        code = error.code
        hint =
            switch error.code {
            case "invalid_client", "access_denied": "Compare CLIENT_ID and CLIENT_SECRET with those at the server."
            case "invalid_grant": "The code may be too old or used already. Sign in again."
            default: "The log of the identity server says more."
            }
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        Pages.problem(self).page(status: status)
    }
}
