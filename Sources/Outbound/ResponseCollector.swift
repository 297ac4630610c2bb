import AuthorizationServer
import Foundation
import NIOCore
import NIOFoundationEssentialsCompat
import NIOHTTP1

/// Sends one request over a new connection and collects its answer, as long as it is small enough.
final class ResponseCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: OutboundRequest
    private let url: OutboundURL
    private let answer: EventLoopPromise<OutboundResponse>
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()

    init(_ request: OutboundRequest, to url: OutboundURL, answer: EventLoopPromise<OutboundResponse>) {
        (self.request, self.url, self.answer) = (request, url, answer)
    }

    func channelActive(context: ChannelHandlerContext) {
        var headers: HTTPHeaders = [
            "Host": url.hostHeader, "User-Agent": "Portico", "Accept": request.accept ?? "*/*",
            // Nothing is unpacked, so nothing small becomes large.
            "Accept-Encoding": "identity", "Connection": "close",
        ]
        for (name, value) in request.headers { headers.replaceOrAdd(name: name, value: value) }
        var method = HTTPMethod.GET
        var content: ByteBuffer?
        switch request.method {
        case .get: break
        case .post(let form):
            let text = form.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
            method = .POST
            headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            content = ByteBuffer(string: text)
        case .send(let body, let contentType, let more):
            method = .POST
            headers.add(name: "Content-Type", value: contentType)
            for (name, value) in more { headers.add(name: name, value: value) }
            content = ByteBuffer(bytes: body)
        case .custom(let name, let body):
            method = HTTPMethod(rawValue: name)
            content = body.map { ByteBuffer(bytes: $0) }
        }
        if let content { headers.add(name: "Content-Length", value: "\(content.readableBytes)") }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: url.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let content { context.write(wrapOutboundOut(.body(.byteBuffer(content))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            let length = head.headers.first(name: "content-length").flatMap(Int.init) ?? 0
            if (300..<400).contains(head.status.code) {
                end(context, .failure(redirected(head)))
            } else if length > request.mostBytes {
                end(context, .failure(tooLarge))
            }
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= request.mostBytes else {
                return end(context, .failure(tooLarge))
            }
            body.writeBuffer(&part)
        case .end:
            guard let head else { return end(context, .failure(broken("no status line"))) }
            end(
                context,
                .success(
                    OutboundResponse(
                        status: Int(head.status.code), body: Data(buffer: body),
                        contentType: head.headers.first(name: "content-type"),
                        headers: Dictionary(
                            head.headers.map { ($0.name.lowercased(), $0.value) }
                        ) { "\($0), \($1)" })))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(broken("the connection ended"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, .failure(head == nil ? unreachable(error) : broken("\(error)")))
    }

    /// A connection that was never made removes its handlers too: the answer is given in every case.
    func handlerRemoved(context: ChannelHandlerContext) { answer.fail(broken("the connection ended")) }

    private func end(_ context: ChannelHandlerContext, _ result: Result<OutboundResponse, OutboundFailure>) {
        switch result {
        case .success(let response): answer.succeed(response)
        case .failure(let failure): answer.fail(failure)
        }
        context.close(promise: nil)
    }

    private static func encoded(_ text: String) -> String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    // MARK: Failures

    private func redirected(_ head: HTTPResponseHead) -> OutboundFailure {
        OutboundFailure(
            .redirected, "\(url.hostHeader) answered with a redirect (\(head.status.code)), and none is followed",
            mend: "Give the address that answers itself.")
    }

    private var tooLarge: OutboundFailure {
        OutboundFailure(
            .tooLarge, "The answer of \(url.hostHeader) is larger than \(request.mostBytes) bytes",
            mend: "Answer with a shorter document.")
    }

    private func unreachable(_ error: any Error) -> OutboundFailure {
        OutboundFailure(
            .unreachable, "No \(url.isSecure ? "secure " : "")connection to \(url.hostHeader): \(error)",
            mend: "Check that it answers there, with a certificate that a public authority signed for this name.")
    }

    private func broken(_ reason: String) -> OutboundFailure {
        OutboundFailure(
            .brokenAnswer, "\(url.hostHeader) did not answer in full: \(reason)",
            mend: "Check what answers there; it must speak HTTP/1.1.")
    }
}
