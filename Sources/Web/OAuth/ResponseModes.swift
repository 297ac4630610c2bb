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
        case .query: .found(response.target.redirectURI.adding(response.parameters))
        case .fragment: .found(response.target.redirectURI.text + "#" + FormEncoding.text(response.parameters))
        case .formPost: try await formPost(response)
        case .webMessage: try await webMessage(response)
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
