import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/email-verification`: what the link of a mail opens.
struct EmailVerificationController: Sendable {
    let services: Services
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).get("u/email-verification", use: verify)
    }

    @Sendable private func verify(_ request: Request, context: WebContext) async throws -> Response {
        let ticket = try FormBody.query(of: request).require("ticket")
        // Who only looks whether the link is there must not use it up.
        guard request.method != .head else { return Response(status: .ok, headers: [.cacheControl: "no-store"]) }
        let outcome = try await EmailVerification(services: services).verify(Secret(ticket))
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
