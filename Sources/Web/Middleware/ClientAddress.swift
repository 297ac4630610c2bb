import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth

/// Finds out where a request comes from. `X-Forwarded-For` is read from the right, and only as far as trusted proxies
/// wrote it: what stands further left the client may have made up.
struct ClientAddress: RouterMiddleware {
    let trustedProxies: [AddressRange]

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let peer = context.remoteAddress?.ipAddress.flatMap(IPAddress.bytes) {
            let client = client(of: request, peer: peer)
            (context.clientAddress, context.clientIP) = (IPAddress.bucket(client), IPAddress.text(client))
        }
        return try await next(request, context)
    }

    func client(of request: Request, peer: [UInt8]) -> [UInt8] {
        var client = peer
        let forwarded = HTTPField.Name("X-Forwarded-For").map { request.headers[values: $0] } ?? []
        for text in forwarded.joined(separator: ",").split(separator: ",").reversed() {
            guard trustedProxies.contains(where: { $0.contains(client) }),
                let address = IPAddress.bytes(text.trimmed)
            else { break }
            client = address
        }
        return client
    }
}
