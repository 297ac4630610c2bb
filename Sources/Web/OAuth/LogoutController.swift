import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages

/// `GET /v2/logout`.
struct LogoutController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).get("v2/logout", use: logOut)
    }

    @Sendable private func logOut(_ request: Request, context: WebContext) async throws -> Response {
        let (browser, _) = cookies.browser(of: request, context: context)
        var response: Response
        do {
            response =
                switch try await LogoutEndpoint(services: services).logOut(
                    FormBody.query(of: request), browser: browser)
                {
                case .redirect(let uri): .found(uri.text)
                case .page(let applicationName):
                    try await pages.respond(with: LoggedOutPage(applicationName: applicationName))
                }
        } catch let failure as AuthorizationFailure {
            response = try await pages.respond(to: failure.error, mismatch: failure.mismatch, context)
        }
        cookies.removeSession(from: &response)
        return response
    }
}
