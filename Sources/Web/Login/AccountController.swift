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
        case "continue":
            let isChosen = try await selection.chooseSession(
                sid: fields["session"] ?? "", visit.login, browser: visit.browser)
            guard isChosen else { return try await page(visit, problem: .expiredForm, status: .badRequest) }
        case "another": try await selection.chooseAnother(visit.login)
        default: throw OAuthError.invalidRequest("Invalid action", hint: "action is continue or another.")
        }
        return forms.resume(visit)
    }

    private func page(
        _ visit: LoginForms.Visit, problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        guard let question = try await AccountSelection(services: services).question(browser: visit.browser) else {
            return forms.resume(visit)
        }
        let address = question.user.email ?? question.user.username
        return try await pages.respond(
            with: SelectAccountPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                applicationLogoURL: visit.client.logoURI, session: question.sid, userName: question.user.displayName,
                address: address, problem: problem),
            status: status, to: visit)
    }
}
