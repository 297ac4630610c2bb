import AuthorizationServer
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Pages
import Storage

/// `/u/signup`: making an account, which signs in.
struct SignupController: Sendable {
    let services: Services
    let forms: LoginForms
    let cookies: BrowserCookies
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/signup", use: show)
            .post("u/signup", use: submit)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        return try await page(visit, email: visit.request.request.loginHint ?? "")
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let (email, password): (String, String)
        switch LoginForms.credentials(in: try await forms.fields(visit, request, context), addressField: "email") {
        case .incomplete(let problem, let email, let status):
            return try await page(visit, email: email, problem: problem, status: status)
        case .complete(let sentEmail, let sentPassword): (email, password) = (sentEmail, sentPassword)
        }
        do {
            let session = try await Signup(services: services).signUp(
                email: email, password: password, login: visit.login, visit.request, browser: visit.browser)
            var response = forms.resume(visit)
            cookies.addSession(session, to: &response)
            return response
        } catch is InvitationGone {
            return forms.resume(visit)
        } catch let refusal as Signup.Refusal {
            return try await page(visit, email: email, problem: Self.problem(refusal), status: .badRequest)
        }
    }

    /// An address that is taken reads like any other failure.
    private static func problem(_ refusal: Signup.Refusal) -> FormProblem {
        switch refusal {
        case .invalidEmail: .emailInvalid
        case .weakPassword(let rules):
            .passwordTooWeak(rules.map { PasswordRule(text: $0.text, satisfied: $0.isSatisfied) })
        case .disabled, .noConnection: .signupDisabled
        case .takesUsersOver: .signupTakesOver
        case .userExists, .databaseFails: .signupFailed
        case .suspiciousAddress: .suspiciousAddress
        case .breachedPassword: .breachedNewPassword
        case .notInvited: .notInvited
        case .denied(_, let userMessage): userMessage.map(FormProblem.refused) ?? .signupFailed
        }
    }

    private func page(
        _ visit: LoginForms.Visit, email: String = "", problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let client = visit.client
        let connections = try await LoginConnections.offered(for: visit.request, services)
        let connection = connections.database
        let policy = try connection.map { try PasswordPolicy(connection: $0) } ?? PasswordPolicy(level: .good)
        let closed: FormProblem? =
            connection?.takesUsersOver == true
            ? .signupTakesOver : connection?.allowsSignup == true ? nil : .signupDisabled
        return try await pages.respond(
            with: SignupPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: client.name,
                applicationLogoURL: visit.logoURL,
                email: visit.request.invitation?.inviteeEmail ?? String(email.prefix(254)),
                isAddressFixed: visit.request.invitation != nil,
                problem: problem ?? closed,
                passwordRules: PasswordRules.check("", policy).map { PasswordRule(text: $0.text, satisfied: false) },
                loginPath: "/u/login?state=\(visit.state.text)", buttons: ConnectionButton.all(connections)),
            status: status, to: visit)
    }
}
