import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import Pages

/// `/dev/inbox`: the mails that nothing has sent. The router has it in development mode alone, and it is empty of everything
/// as soon as the tenant has something to send mail with.
struct InboxController: Sendable {
    let services: Services
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("dev/inbox", use: list)
            .get("dev/inbox.json", use: listForPrograms)
            .delete("dev/inbox.json", use: empty)
            .get("dev/inbox/:id", use: show)
            .get("dev/inbox/:id/html", use: html)
    }

    /// Passes what may be shown: no mail where mails are sent, and none to a page that has another name resolve to this
    /// machine (DNS rebinding).
    private func inbox(_ request: Request) async throws -> DevelopmentInbox {
        let inbox = DevelopmentInbox(services: services)
        let host = request.head.authority?.lowercased()
        let isOwn = host.map { $0 == services.issuer.domain || Self.isLocal($0) } ?? true
        guard isOwn, try await inbox.isOpen() else { throw HTTPError(.notFound) }
        return inbox
    }

    private static func isLocal(_ authority: String) -> Bool {
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return ["localhost", "127.0.0.1", "[::1]"].contains(String(host))
    }

    @Sendable private func list(_ request: Request, context: WebContext) async throws -> Response {
        let letters = try await inbox(request).letters()
        return try await pages.respond(
            with: InboxPage(
                mails: letters.map { letter in
                    InboxPage.Mail(
                        path: "/dev/inbox/\(letter.id)", recipient: letter.content.recipient.address,
                        subject: letter.content.subject, time: Self.time(letter))
                }))
    }

    @Sendable private func listForPrograms(_ request: Request, context: WebContext) async throws -> Response {
        let inbox = try await inbox(request)
        let recipient = try FormBody.query(of: request)["to"]
        return try .json(try await inbox.letters(to: recipient).map(\.document))
    }

    @Sendable private func empty(_ request: Request, context: WebContext) async throws -> Response {
        try await inbox(request).empty()
        return Response(status: .noContent)
    }

    private func letter(_ request: Request, _ context: WebContext) async throws -> DevelopmentInbox.Letter {
        let inbox = try await inbox(request)
        guard let id = context.parameters.get("id"), let letter = try await inbox.letter(id) else {
            throw HTTPError(.notFound)
        }
        return letter
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        let letter = try await letter(request, context)
        let content = letter.content
        return try await pages.respond(
            with: InboxMailPage(
                sender: Self.shown(content.from), recipient: Self.shown(content.recipient), subject: content.subject,
                time: Self.time(letter), text: content.text, links: letter.links,
                framePath: "/dev/inbox/\(letter.id)/html"),
            frames: ["'self'"])
    }

    /// The mail's own HTML: it may show itself and do nothing else, wherever it is opened.
    @Sendable private func html(_ request: Request, context: WebContext) async throws -> Response {
        let letter = try await letter(request, context)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
                    + "form-action 'none'; base-uri 'none'; frame-ancestors \(services.issuer.origin)",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: letter.content.html)))
    }

    private static func shown(_ address: MailAddress) -> String {
        address.name.map { "\($0) <\(address.address)>" } ?? address.address
    }

    private static func time(_ letter: DevelopmentInbox.Letter) -> String {
        letter.createdAt.formatted(Date.ISO8601FormatStyle(dateTimeSeparator: .space)).replacing("Z", with: " UTC")
    }
}
