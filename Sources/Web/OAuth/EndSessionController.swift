import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `GET` and `POST /oidc/logout`, and `/u/logout`, where the user confirms what nothing else proves.
struct EndSessionController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let responder: LogoutResponder

    /// Binds the confirmation's form to its page and to no other.
    private static let form = "logout"

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("oidc/logout", use: endSession)
            .post("oidc/logout", use: endSession)
            .get("u/logout", use: endSession)
            .post("u/logout", use: answer)
    }

    @Sendable private func endSession(_ request: Request, context: WebContext) async throws -> Response {
        let parameters =
            request.method == .post
            ? try await FormBody.parameters(of: request, context: context)
            : try FormBody.query(of: request, flags: ["federated"])
        return try await endSession(parameters, request, context)
    }

    private func endSession(
        _ parameters: OAuth.Parameters, _ request: Request, _ context: WebContext, problem: FormProblem? = nil
    ) async throws -> Response {
        let (browser, isNew) = cookies.browser(of: request, context: context)
        switch try await EndSessionEndpoint(services: services).endSession(parameters, browser: browser) {
        case .ended(let outcome): return try await responder.respond(to: outcome, browser, locales: parameters.locales)
        case .ask(let question):
            let client = question.client?.localized(for: parameters.locales)
            var response = try await responder.pages.respond(
                with: LogoutPage(
                    csrfToken: services.secret.formToken(browser, state: Self.form),
                    applicationName: client?.name, applicationLogoURL: client?.logoURI,
                    parameters: question.parameters, problem: problem),
                status: problem == nil ? .ok : .forbidden, formTarget: question.redirectURI,
                locales: parameters.locales)
            if isNew { cookies.addDevice(browser, to: &response) }
            return response
        }
    }

    @Sendable private func answer(_ request: Request, context: WebContext) async throws -> Response {
        let fields = try await FormBody.parameters(of: request, context: context)
        let (browser, _) = cookies.browser(of: request, context: context)
        let token = services.secret.formToken(browser, state: Self.form)
        guard ConstantTime.equal(fields["_csrf"] ?? "", token) else {
            // Nothing was decided; where there is still something to decide, the page has a form that is this browser's.
            return try await endSession(fields, request, context, problem: .expiredForm)
        }
        switch fields["action"] {
        case "accept":
            return try await responder.respond(
                to: EndSessionEndpoint(services: services).confirm(fields, browser: browser), browser,
                locales: fields.locales)
        case "deny": return try await responder.pages.respond(with: StillLoggedInPage(), locales: fields.locales)
        default: throw OAuthError.invalidRequest("Invalid action", hint: "action is accept or deny.")
        }
    }
}

extension OAuth.Parameters {
    /// The languages of `ui_locales`, the best first.
    fileprivate var locales: [String] { self["ui_locales"]?.split(separator: " ").map(String.init) ?? [] }
}
