import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/login-passwordless`: signing in with a code or a link that is sent to an address.
struct CodeLoginController: Sendable {
    let services: Services
    let forms: LoginForms
    let cookies: BrowserCookies
    let pages: PageResponder

    /// Where the pages of a connection are.
    static func path(_ state: String, _ connection: String) -> String {
        "/u/login-passwordless?state=\(state)&connection=\(connection)"
    }

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/login-passwordless", use: show)
            .post("u/login-passwordless", use: submit)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let connection = try await connection(visit, request)
        return try await page(visit, connection, address: visit.request.request.loginHint ?? "")
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let connection = try await connection(visit, request)
        guard let fields = try await forms.fields(visit, request, context) else {
            return try await page(visit, connection, problem: .expiredForm, status: .forbidden)
        }
        let address = fields["address"] ?? ""
        do {
            guard fields["action"] == "verify" else { return try await send(to: address, visit, connection) }
            let session = try await PasswordlessLogin(services: services).logIn(
                code: fields["code"] ?? "", address: address, connection: connection, login: visit.login,
                client: visit.request.client, browser: visit.browser)
            var response = forms.resume(visit)
            cookies.addSession(session, to: &response)
            return response
        } catch PasswordlessLogin.Refusal.userIsBlocked {
            // Whoever gets here reads the user's mail, so the application may be told.
            throw AuthorizationFailure.redirect(OAuthError(.unauthorized, "user is blocked"), visit.request.target)
        } catch let refusal as PasswordlessLogin.Refusal {
            return try await page(
                visit, connection, address: address, isSent: fields["action"] == "verify",
                problem: Self.problem(refusal),
                status: refusal == .notSent ? .serviceUnavailable : .badRequest)
        }
    }

    private func send(
        to sent: String, _ visit: LoginForms.Visit, _ connection: Connection
    ) async throws -> Response {
        let address = try await PasswordlessLogin(services: services).send(
            to: sent, connection: connection, login: visit.login, state: visit.state, client: visit.request.client,
            browser: visit.browser, language: visit.request.request.uiLocales.first)
        return try await page(visit, connection, address: address, isSent: true)
    }

    private func connection(_ visit: LoginForms.Visit, _ request: Request) async throws -> Connection {
        let name = try FormBody.query(of: request).require("connection")
        let offered = try await LoginConnections.offered(for: visit.request, services)
        guard let connection = offered.codes.first(where: { $0.name == name }) else {
            throw OAuthError.invalidRequest(
                "the connection is not enabled", hint: "Go back to the application and sign in again.")
        }
        return connection
    }

    private static func problem(_ refusal: PasswordlessLogin.Refusal) -> FormProblem {
        switch refusal {
        case .noAddress: .addressInvalid
        case .wrongCode: .wrongCode
        case .tooManyRequests: .tooManyCodes
        case .blocked, .userIsBlocked: .blocked
        case .notSent: .codeNotSent
        }
    }

    private func page(
        _ visit: LoginForms.Visit, _ connection: Connection, address: String = "", isSent: Bool = false,
        problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let form = try await PasswordlessLogin(services: services).form(connection)
        return try await pages.respond(
            with: CodeLoginPage(
                path: Self.path(visit.state.text, connection.name), state: visit.state.text, csrfToken: visit.formToken,
                applicationName: visit.client.name, applicationLogoURL: visit.client.logoURI,
                isNumber: form.usesNumbers, sendsLinks: form.sendsLinks, address: String(address.prefix(254)),
                isSent: isSent, problem: problem),
            status: status, to: visit)
    }
}
