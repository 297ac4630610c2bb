import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import OAuth
import Pages

/// How a response reaches its client, one entry for each mode.
struct ResponseModes: Sendable {
    let pages: PageResponder

    func render(_ response: AuthorizationResponse) async throws -> Response {
        switch response.target.mode {
        case .query: .found(Self.appending(response, to: "?"))
        case .fragment: .found(response.target.redirectURI.text + "#" + Self.encoded(response.parameters))
        case .formPost: try await formPost(response)
        case .webMessage: try await webMessage(response)
        }
    }

    private static func appending(_ response: AuthorizationResponse, to separator: String) -> String {
        let uri = response.target.redirectURI.text
        let joint = uri.contains("?") ? (uri.hasSuffix("?") || uri.hasSuffix("&") ? "" : "&") : separator
        return uri + joint + encoded(response.parameters)
    }

    static func encoded(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
    }

    /// Everything but RFC 3986's unreserved characters, so that no value can end its parameter.
    static func percentEncoded(_ text: String) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 0x0F)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// OAuth 2.0 Form Post Response Mode: a page that posts the parameters to the client.
    private func formPost(_ response: AuthorizationResponse) async throws -> Response {
        try await pages.respond(
            with: FormPostPage(
                action: response.target.redirectURI.text,
                parameters: response.parameters),
            target: response.target)
    }

    /// A page that tells the parameters to the window that opened or framed it, where that is the callback's origin.
    private func webMessage(_ response: AuthorizationResponse) async throws -> Response {
        try await pages.respond(
            with: WebMessagePage(origin: response.target.redirectURI.origin, parameters: response.parameters),
            target: response.target, isFramed: true)
    }
}

extension Response {
    /// A window that waits for a message must stay the opener of every page on the way to it.
    func reachable(from target: ResponseTarget) -> Response {
        guard target.mode == .webMessage, let name = HTTPField.Name("Cross-Origin-Opener-Policy") else { return self }
        var response = self
        response.headers[name] = "unsafe-none"
        return response
    }
}
