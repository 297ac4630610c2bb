import AuthorizationServer
import Hummingbird
import OAuth
import Pages

/// `GET /v2/logout`, and `GET /v2/logout/callback`, where providers send browsers back to after their own.
struct LogoutController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let responder: LogoutResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("v2/logout", use: logOut)
            .get("v2/logout/callback", use: comeBack)
    }

    @Sendable private func comeBack(_ request: Request, context: WebContext) async throws -> Response {
        let kept = request.cookies[BrowserCookies.logout]?.value
        var response: Response
        if let location = FederatedLogout(services: services).destination(kept) {
            response = .found(location)
        } else {
            response = try await responder.pages.respond(with: LoggedOutPage())
        }
        if kept != nil { cookies.removeLogout(from: &response) }
        return response
    }

    @Sendable private func logOut(_ request: Request, context: WebContext) async throws -> Response {
        let (browser, _) = cookies.browser(of: request, context: context)
        do {
            return try await responder.respond(
                to: LogoutEndpoint(services: services).logOut(
                    FormBody.query(of: request, flags: ["federated"]), browser: browser), browser)
        } catch let failure as AuthorizationFailure {
            var response = try await responder.pages.respond(
                to: failure.error, mismatch: failure.mismatch, context)
            responder.forgetSession(browser, &response)
            return response
        }
    }
}

/// What every logout ends with: the browser forgets its session, and goes on.
struct LogoutResponder: Sendable {
    let cookies: BrowserCookies
    let pages: PageResponder

    /// Where applications have frames, a page shows them before the browser goes on; where it does not go on by itself, the
    /// page says where to.
    func respond(
        to outcome: LogoutOutcome, _ browser: Browser, locales: [String] = []
    ) async throws -> Response {
        var response: Response
        if outcome.frames.isEmpty, outcome.goesOn, let location = outcome.location {
            response = .found(location)
        } else {
            response = try await pages.respond(
                with: LoggedOutPage(
                    applicationName: outcome.applicationName, frames: outcome.frames.map(\.url),
                    continueURL: outcome.location, goesOn: outcome.goesOn),
                frames: outcome.frames.map(\.origin), locales: locales)
        }
        forgetSession(browser, &response)
        if let memory = outcome.memory { cookies.addLogout(memory, to: &response) }
        return response
    }

    /// Another site's request may come without the cookie; it does not get to remove what it could not send.
    func forgetSession(_ browser: Browser, _ response: inout Response) {
        if browser.session != nil { cookies.removeSession(from: &response) }
    }
}
