import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/select-account`: whether the user goes on with the account of this browser's session, or with another one.
struct AccountController: Sendable {
    let services: Services
    let forms: LoginForms
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/select-account", use: show)
            .post("u/select-account", use: submit)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        try await page(forms.visit(request, context))
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let fields = try await forms.fields(visit, request, context) else {
            return try await page(visit, problem: .expiredForm, status: .forbidden)
        }
        let selection = AccountSelection(services: services)
        switch fields["action"] {
        case "continue": try await selection.chooseSession(visit.login, browser: visit.browser)
        case "another": try await selection.chooseAnother(visit.login)
        default: throw OAuthError.invalidRequest("Invalid action", hint: "action is continue or another.")
        }
        return forms.resume(visit)
    }

    private func page(
        _ visit: LoginForms.Visit, problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        guard let user = try await AccountSelection(services: services).account(of: visit.browser) else {
            return forms.resume(visit)
        }
        return try await pages.respond(
            with: SelectAccountPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                applicationLogoURL: visit.logoURL, userName: user.displayName,
                address: user.email ?? user.username, problem: problem),
            status: status, to: visit)
    }
}
