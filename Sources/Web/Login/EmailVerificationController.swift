import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/email-verification`: what the link of a mail opens. The ticket is what proves who asks; no session is needed.
struct EmailVerificationController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let pages: PageResponder

    private static let path = "/u/email-verification"

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/email-verification", use: open)
            .post("u/email-verification", use: verify)
    }

    @Sendable private func open(_ request: Request, context: WebContext) async throws -> Response {
        let ticket = Secret(try FormBody.query(of: request).require("ticket"))
        // Who only looks whether the link is there must not use it up.
        guard request.method != .head else { return Response(status: .ok, headers: [.cacheControl: "no-store"]) }
        let (browser, _) = cookies.browser(of: request, context: context)
        switch try await EmailVerification(services: services).open(ticket, browser: browser) {
        case .done(let outcome): return try await answer(outcome)
        case .ask(let email, let resultURL):
            return try await pages.respond(
                with: ConfirmLinkPage(.emailVerification, path: Self.path, ticket: ticket.text, address: email),
                formTarget: resultURL)
        }
    }

    @Sendable private func verify(_ request: Request, context: WebContext) async throws -> Response {
        let ticket = try await FormBody.parameters(of: request, context: context).require("ticket")
        return try await answer(EmailVerification(services: services).verify(Secret(ticket)))
    }

    private func answer(_ outcome: EmailVerification.Outcome) async throws -> Response {
        if let redirect = outcome.redirect { return .found(redirect) }
        return try await pages.respond(
            with: MailNoticePage(
                outcome.result.notice(good: .emailVerified), backPath: outcome.client?.initiateLoginURI),
            status: outcome.result == .success ? .ok : .badRequest)
    }
}

extension TicketResult {
    /// What the page says.
    /// - Parameter good: what it says where all went well.
    func notice(good: MailNoticePage.Notice) -> MailNoticePage.Notice {
        switch self {
        case .success: good
        case .used: .linkUsed
        case .expired: .linkExpired
        case .unknown: .linkUnknown
        }
    }
}
