import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth

/// `GET` and `POST /authorize`, `GET /authorize/resume`, to which every page returns, and `/continue`, to which users come
/// back whom a rule or an action has sent somewhere else.
struct AuthorizeController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let modes: ResponseModes

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("authorize", use: authorize)
            .post("authorize", use: authorize)
            .get("authorize/resume", use: resume)
            .get("continue", use: proceed)
            .post("continue", use: proceed)
    }

    @Sendable private func authorize(_ request: Request, context: WebContext) async throws -> Response {
        let parameters =
            request.method == .post
            ? try await FormBody.parameters(of: request, context: context) : try FormBody.query(of: request)
        return try await cookies.answer(request, context) { browser in
            try await respond(to: AuthorizationEndpoint(services: services).authorize(parameters, browser: browser))
        }
    }

    @Sendable private func resume(_ request: Request, context: WebContext) async throws -> Response {
        let state = Secret(try FormBody.query(of: request).require("state"))
        let (browser, _) = cookies.browser(of: request, context: context)
        return try await respond(
            to: AuthorizationEndpoint(services: services).resume(state: state, browser: browser))
    }

    @Sendable private func proceed(_ request: Request, context: WebContext) async throws -> Response {
        var parameters = try FormBody.query(of: request)
        if request.method == .post {
            parameters = try await parameters.adding(FormBody.parameters(of: request, context: context))
        }
        let (browser, isNew) = cookies.browser(of: request, context: context)
        guard !isNew else { throw TransactionNotFound() }
        return try await respond(
            to: AuthorizationEndpoint(services: services).proceed(parameters, browser: browser))
    }

    private func respond(to outcome: AuthorizationOutcome) async throws -> Response {
        switch outcome {
        case .respond(let response):
            var answer = try await modes.render(response)
            if let session = response.session { cookies.addSession(session, to: &answer) }
            return answer
        case .depart(let destination, let target): return try await modes.pages.depart(to: destination, target)
        case .prompt(let page, let state, let target):
            return .found("/u/\(page.rawValue)?state=\(state.text)").reachable(from: target)
        }
    }
}
