import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth

extension Response {
    /// An answer in JSON.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, cacheControl: String = "no-store"
    ) throws -> Response {
        json(bytes: try JSON.bytes(value), status: status, cacheControl: cacheControl)
    }

    static func json(
        bytes: Data, status: HTTPResponse.Status = .ok, cacheControl: String = "no-store"
    ) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: cacheControl]
        if cacheControl == "no-store" { headers[.pragma] = "no-cache" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func text(_ text: String, status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// 302, the browser's own GET.
    static func found(_ location: String) -> Response {
        Response(status: .found, headers: [.location: location, .cacheControl: "no-store"])
    }
}

extension HTTPField.Name {
    /// `Pragma`, for caches of HTTP/1.0 (RFC 6749 §5.1). A valid literal, so it always exists.
    static let pragma = HTTPField.Name("Pragma") ?? .cacheControl
}
