import AuthorizationServer
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A server on this machine whose answers a test chooses, byte for byte where it likes.
struct LoopbackServer: Sendable {
    let port: Int
    private let channel: any Channel

    /// What a request gets: HTTP as text, sent at once; nil for silence.
    typealias Answer = @Sendable (_ request: String) -> String?

    /// Starts a server on a free port, and ends it after `body`.
    static func run<T>(
        tls: NIOSSLContext? = nil, _ answer: @escaping Answer, _ body: (LoopbackServer) async throws -> T
    ) async throws -> T {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.addHandler(Answering(answer: answer))
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        defer { channel.close(promise: nil) }
        return try await body(LoopbackServer(port: channel.localAddress?.port ?? 0, channel: channel))
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: Answer
        private var received = ""

        init(answer: @escaping Answer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard let head = received.firstRange(of: "\r\n\r\n") else { return }
            let length = received.firstMatch(of: /Content-Length: (\d+)/).flatMap { Int($0.1) } ?? 0
            guard received[head.upperBound...].utf8.count >= length, let text = answer(received) else { return }
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in
                channel.close(promise: nil)
            }
        }
    }
}
