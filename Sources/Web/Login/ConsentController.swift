import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/consent`: whether the application may have what it asks for.
struct ConsentController: Sendable {
    let services: Services
    let forms: LoginForms
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/consent", use: show)
            .post("u/consent", use: submit)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard
            let question = try await Consent(services: services).question(
                visit.login, visit.request, browser: visit.browser)
        else { return forms.resume(visit) }
        let settings = try await services.configuration.settings()
        return try await pages.respond(
            with: ConsentPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                applicationLogoURL: visit.client.logoURI, userName: question.user.displayName,
                tenantName: settings.friendlyName ?? services.issuer.domain,
                items: question.items.map { ConsentItem(title: $0.title, detail: $0.detail, resource: $0.api) },
                destination: question.client.isFirstParty || visit.login.purpose.isDevice
                    ? nil : visit.request.target.redirectURI.text),
            to: visit)
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let fields = try await forms.fields(visit, request, context) else {
            // Nothing was decided; the page is shown again with a form that is this browser's.
            return try await show(request, context: context)
        }
        let consent = Consent(services: services)
        switch fields["action"] {
        case "accept": try await consent.allow(visit.login, visit.request, browser: visit.browser)
        case "deny": try await consent.deny(visit.login)
        default: throw OAuthError.invalidRequest("Invalid action", hint: "action is accept or deny.")
        }
        return forms.resume(visit)
    }
}
