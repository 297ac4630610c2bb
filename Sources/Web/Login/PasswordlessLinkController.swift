import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/passwordless/verify_redirect`: what a link opens that was sent in place of a code.
struct PasswordlessLinkController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let pages: PageResponder

    private static let path = "/" + PasswordlessLink.path

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("passwordless/verify_redirect", use: open)
            .post("passwordless/verify_redirect", use: confirm)
    }

    @Sendable private func open(_ request: Request, context: WebContext) async throws -> Response {
        let ticket = Secret(try FormBody.query(of: request).require("ticket"))
        // Who only looks whether the link is there must not use it up.
        guard request.method != .head else { return Response(status: .ok, headers: [.cacheControl: "no-store"]) }
        return try await cookies.answer(request, context) { browser in
            let opening = try await PasswordlessLinks(services: services).open(ticket, browser: browser)
            return try await answer(opening, ticket, browser)
        }
    }

    @Sendable private func confirm(_ request: Request, context: WebContext) async throws -> Response {
        let fields = try await FormBody.parameters(of: request, context: context)
        let ticket = Secret(try fields.require("ticket"))
        return try await cookies.answer(request, context) { browser in
            let links = PasswordlessLinks(services: services)
            // Otherwise somebody else's page could have the browser sign in to its maker's account.
            guard ConstantTime.equal(fields["_csrf"] ?? "", formToken(ticket, browser)) else {
                let opening = try await links.open(ticket, browser: browser)
                return try await answer(opening, ticket, browser, problem: .expiredForm)
            }
            return try await answer(links.confirm(ticket, browser: browser), ticket, browser)
        }
    }

    private func formToken(_ ticket: Secret, _ browser: Browser) -> String {
        services.secret.formToken(browser, state: "link \(ticket.digest)")
    }

    private func answer(
        _ opening: PasswordlessLinks.Opening, _ ticket: Secret, _ browser: Browser, problem: FormProblem? = nil
    ) async throws -> Response {
        switch opening {
        case .signedIn(let login):
            var response = Response.found("/authorize/resume?state=\(login.state.text)").reachable(
                from: login.request.target)
            cookies.addSession(login.session, to: &response)
            return response
        case .ask(let request, let address):
            let client = request.client.localized(for: request.request.uiLocales)
            return try await pages.respond(
                with: ConfirmLinkPage(
                    .login(applicationName: client.name, csrfToken: formToken(ticket, browser)), path: Self.path,
                    ticket: ticket.text, address: address, applicationLogoURL: client.logoURI, problem: problem),
                status: problem == nil ? .ok : .forbidden, target: request.target, client: client,
                locales: request.request.uiLocales, organization: request.organization?.organization)
        case .otherBrowser: return try await pages.respond(with: MailNoticePage(.otherBrowser), status: .badRequest)
        case .gone: return try await pages.respond(with: MailNoticePage(.linkGone), status: .badRequest)
        }
    }
}
