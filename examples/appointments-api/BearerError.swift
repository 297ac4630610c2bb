import Foundation
import Hummingbird

/// A request that the API refuses for its token, as
/// [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) wants it refused.
struct BearerError: Error, Sendable {
    /// The error codes of RFC 6750 §3.1.
    enum Code: String, Sendable {
        case invalidRequest = "invalid_request"
        case invalidToken = "invalid_token"
        case insufficientScope = "insufficient_scope"
    }

    /// nil when there was no token at all: then the answer carries no error code (RFC 6750 §3).
    let code: Code?
    let description: String
    /// The scope that would have been enough.
    var scope: String?
    /// The API that was called.
    var realm = ""

    static let noToken = BearerError(
        code: nil, description: "Send an access token for this API in the header Authorization: Bearer <token>.")

    static func invalidRequest(_ description: String) -> BearerError {
        BearerError(code: .invalidRequest, description: description)
    }

    static func invalidToken(_ description: String) -> BearerError {
        BearerError(code: .invalidToken, description: quotable(description))
    }

    static func insufficientScope(_ scope: String, granted: [String]) -> BearerError {
        let grant = granted.isEmpty ? "none" : granted.joined(separator: " ")
        return BearerError(
            code: .insufficientScope, description: "This needs the scope \(scope); the token has: \(grant).",
            scope: scope)
    }
}

extension BearerError: HTTPResponseError {
    var status: HTTPResponse.Status {
        switch code {
        case .invalidRequest: .badRequest
        case .insufficientScope: .forbidden
        case .invalidToken, nil: .unauthorized
        }
    }

    private var challenge: String {
        let parameters = [
            ("realm", realm), ("error", code?.rawValue), ("error_description", code.map { _ in description }),
            ("scope", scope),
        ]
        return "Bearer "
            + parameters.compactMap { name, value in value.map { "\(name)=\"\(Self.quotable($0))\"" } }
            .joined(separator: ", ")
    }

    /// The only characters that may stand in a challenge (RFC 6750 §3). Parts of a description come from tokens that
    /// nobody has verified, and must not bring line ends into the log either.
    private static func quotable(_ text: String) -> String {
        String(text.unicodeScalars.map { (" "..."~").contains($0) && $0 != "\"" && $0 != "\\" ? Character($0) : "'" })
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let body = Body(error: code?.rawValue, errorDescription: description, scope: scope)
        var response = try context.responseEncoder.encode(body, from: request, context: context)
        response.status = status
        response.headers[.wwwAuthenticate] = challenge
        return response
    }

    /// The same in JSON.
    private struct Body: Encodable {
        let error: String?
        let errorDescription: String
        let scope: String?

        enum CodingKeys: String, CodingKey {
            case error, scope
            case errorDescription = "error_description"
        }
    }
}
