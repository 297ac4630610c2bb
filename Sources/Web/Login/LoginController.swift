import AuthorizationServer
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Pages
import Storage

/// `/u/login`: signing in with a password.
struct LoginController: Sendable {
    let services: Services
    let forms: LoginForms
    let cookies: BrowserCookies
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/login", use: show)
            .post("u/login", use: submit)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let connections = try await LoginConnections.offered(for: visit.request, services)
        if !connections.hasForm, connections.redirecting.isEmpty, connections.codes.count == 1,
            let only = connections.codes.first
        {
            return .found(CodeLoginController.path(visit.state.text, only.name))
        }
        let email = try await AccountSelection(services: services).suggestedAddress(
            visit.login, visit.request, browser: visit.browser)
        return try await page(visit, email: email)
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let fields = try await forms.fields(visit, request, context)
        let connections = try await LoginConnections.offered(for: visit.request, services)
        if let departure = try await departure(visit, fields, connections) { return departure }
        if let fields, !connections.hasForm {
            let email = fields["username"]
            return try await page(
                visit, email: email ?? "", problem: email == nil ? .emailRequired : .unknownDomain, status: .badRequest)
        }
        let (email, password): (String, String)
        switch LoginForms.credentials(in: fields, addressField: "username") {
        case .incomplete(let problem, let email, let status):
            return try await page(visit, email: email, problem: problem, status: status)
        case .complete(let sentEmail, let sentPassword): (email, password) = (sentEmail, sentPassword)
        }
        do {
            let session = try await PasswordLogin(services: services).logIn(
                identifier: email, password: password, login: visit.login, browser: visit.browser)
            var response = forms.resume(visit)
            cookies.addSession(session, to: &response)
            return response
        } catch PasswordLogin.Refusal.userIsBlocked {
            // Whoever gets here knows the password, so the application may be told.
            throw AuthorizationFailure.redirect(
                OAuthError(.unauthorized, "user is blocked"), visit.request.target)
        } catch let refusal as PasswordLogin.Refusal {
            context.logger.info(
                "login refused", metadata: ["why": "\(refusal)", "address": "\(visit.browser.address)"])
            let problem = Self.problem(refusal)
            return try await page(
                visit, email: email, problem: problem,
                status: problem == .cannotVerify ? .serviceUnavailable : .badRequest)
        }
    }

    /// Sends the user to the provider of the connection that they have chosen, or whose users have such an address.
    /// What stands in the field of the password is left alone.
    private func departure(
        _ visit: LoginForms.Visit, _ fields: OAuth.Parameters?, _ connections: LoginConnections
    ) async throws -> Response? {
        guard let fields else { return nil }
        let chosen: Connection?
        if let name = fields["connection"] {
            if connections.codes.contains(where: { $0.name == name }) {
                return .found(CodeLoginController.path(visit.state.text, name))
            }
            guard let connection = connections.redirecting.first(where: { $0.name == name }) else {
                throw OAuthError.invalidRequest(
                    "the connection is not enabled", hint: "Go back to the application and sign in again.")
            }
            chosen = connection
        } else {
            chosen = fields["username"].flatMap(connections.redirecting(for:))
        }
        guard let chosen else { return nil }
        return try await pages.depart(
            to: UpstreamLogin(services: services).choose(
                chosen, visit.login, state: visit.state, identifier: fields["username"], visit.request,
                browser: visit.browser), visit.request.target)
    }

    private static func problem(_ refusal: PasswordLogin.Refusal) -> FormProblem {
        switch refusal {
        case .wrongCredentials, .noConnection: .wrongCredentials
        case .blocked, .userIsBlocked: .blocked
        case .cannotVerify, .directoryFails: .cannotVerify
        case .tooManyLogins: .tooManyAttempts
        case .suspiciousAddress: .suspiciousAddress
        case .breachedPassword: .breachedPassword
        }
    }

    private func page(
        _ visit: LoginForms.Visit, email: String = "", problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let client = visit.client
        let connections = try await LoginConnections.offered(for: visit.request, services)
        return try await pages.respond(
            with: LoginPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: client.name,
                applicationLogoURL: visit.logoURL, email: String(email.prefix(254)), problem: problem,
                signupPath: connections.database?.allowsSignup == true ? "/u/signup?state=\(visit.state.text)" : nil,
                buttons: ConnectionButton.all(connections),
                hasForm: connections.hasForm || connections.hasDomains
                    || connections.buttons.isEmpty && connections.codes.isEmpty,
                passwordField: !connections.hasForm ? .absent : connections.hasDomains ? .optional : .required,
                forgotPath: connections.database == nil
                    ? nil : "/u/reset-password/request?state=\(visit.state.text)"),
            status: status, to: visit)
    }
}
