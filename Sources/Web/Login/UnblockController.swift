import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages

/// `/u/unblock`, where the mail about a blocked account leads. The ticket is what proves who asks; no session is needed.
struct UnblockController: Sendable {
    let services: Services
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/unblock", use: ask)
            .post("u/unblock", use: unblock)
    }

    @Sendable private func ask(_ request: Request, context: WebContext) async throws -> Response {
        let ticket = try FormBody.query(of: request)["ticket"] ?? ""
        let isOpen = try await Unblocking(services: services).isOpen(ticket)
        return try await pages.respond(
            with: UnblockPage(isOpen ? .ask(ticket: ticket) : .expired), status: isOpen ? .ok : .badRequest)
    }

    @Sendable private func unblock(_ request: Request, context: WebContext) async throws -> Response {
        let ticket = try await FormBody.parameters(of: request, context: context)["ticket"] ?? ""
        let isDone = try await Unblocking(services: services).unblock(ticket)
        return try await pages.respond(with: UnblockPage(isDone ? .done : .expired), status: isDone ? .ok : .badRequest)
    }
}
