import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// What the controllers of a transaction's pages share: the transaction behind `state`, and the proof that a form comes
/// from the page that this browser was shown.
struct LoginForms: Sendable {
    let services: Services
    let cookies: BrowserCookies

    /// A page's transaction in its browser.
    struct Visit: Sendable {
        let state: Secret
        let login: LoginTransaction
        let request: VerifiedAuthorizationRequest
        let browser: Browser
        /// What the page's form must send back as `_csrf`.
        let formToken: String
        /// The application as the pages show it, in the languages that the request asks for.
        let client: Client
        /// The logo above the page's heading: the organization's, else the application's.
        var logoURL: String? { request.organization?.organization.branding.logoURL ?? client.logoURI }

        init(
            _ state: Secret, _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, _ browser: Browser,
            formToken: String
        ) {
            (self.state, self.login, self.request, self.browser) = (state, login, request, browser)
            (self.formToken, client) = (formToken, request.client.localized(for: request.request.uiLocales))
        }
    }

    /// - Throws: ``TransactionNotFound``, or ``AuthorizationFailure`` where the client's settings have changed meanwhile.
    func visit(_ request: Request, _ context: WebContext) async throws -> Visit {
        let state = Secret(try FormBody.query(of: request).require("state"))
        let (browser, isNew) = cookies.browser(of: request, context: context)
        guard !isNew, let login = try await browser.transaction(state, services) else { throw TransactionNotFound() }
        return Visit(
            state, login, try await AuthorizationEndpoint(services: services).request(of: login), browser,
            formToken: services.secret.formToken(browser, state: state.text))
    }

    /// The fields of the form, or nil where its token is not this page's.
    func fields(_ visit: Visit, _ request: Request, _ context: WebContext) async throws -> OAuth.Parameters? {
        let fields = try await FormBody.parameters(of: request, context: context)
        guard ConstantTime.equal(fields["_csrf"] ?? "", visit.formToken) else { return nil }
        return fields
    }

    /// What a form with an address and a password brings.
    enum Credentials: Sendable {
        case complete(email: String, password: String)
        /// The page is shown again with its problem.
        case incomplete(FormProblem, email: String, HTTPResponse.Status)
    }

    /// - Parameters:
    ///   - fields: those of the form, or nil where its token is not its page's.
    ///   - addressField: the name of the field with the e-mail address.
    static func credentials(in fields: OAuth.Parameters?, addressField: String) -> Credentials {
        guard let fields else { return .incomplete(.expiredForm, email: "", .forbidden) }
        guard let email = fields[addressField] else { return .incomplete(.emailRequired, email: "", .badRequest) }
        guard let password = fields["password"] else {
            return .incomplete(.passwordRequired, email: email, .badRequest)
        }
        return .complete(email: email, password: password)
    }

    /// Back to the authorization endpoint, which decides what is next.
    func resume(_ visit: Visit) -> Response {
        .found("/authorize/resume?state=\(visit.state.text)").reachable(from: visit.request.target)
    }
}
