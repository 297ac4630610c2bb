import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/invitation`: who invites whom to which organization, before the invited person signs up or logs in.
struct InvitationController: Sendable {
    let services: Services
    let forms: LoginForms
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/invitation", use: show)
            .post("u/invitation", use: submit)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        try await page(forms.visit(request, context))
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard try await forms.fields(visit, request, context) != nil else {
            return try await page(visit, problem: .expiredForm, status: .forbidden)
        }
        try await InvitationAcceptance(services: services).proceed(visit.login, visit.request)
        return forms.resume(visit)
    }

    private func page(
        _ visit: LoginForms.Visit, problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        guard let question = InvitationAcceptance(services: services).question(visit.request) else {
            return forms.resume(visit)
        }
        return try await pages.respond(
            with: InvitationPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, inviterName: question.inviterName,
                organizationName: question.organization.shownName, address: question.inviteeEmail, problem: problem),
            status: status, to: visit)
    }
}
