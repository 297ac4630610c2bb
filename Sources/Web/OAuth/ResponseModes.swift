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
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// OAuth 2.0 Form Post Response Mode: a page that posts the parameters to the client.
    private func formPost(_ response: AuthorizationResponse) async throws -> Response {
        try await pages.respond(
            with: FormPostPage(
                action: response.target.redirectURI.text,
                parameters: response.parameters),
            formTarget: response.target.redirectURI)
    }
}
