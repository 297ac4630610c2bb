import AuthorizationServer
import Foundation
import OAuth

/// A request to the API, free of any HTTP server.
package struct ManagementRequest: Sendable {
    /// Such as `PATCH`.
    package let method: String
    /// What follows `/api/v2/`, as it was sent: percent-encoded.
    package let path: String
    /// What follows `?`, as it was sent.
    package let query: String
    /// The access token; nil where the request has none.
    package let token: PresentedAccessToken?
    /// The type of the body, in lower case and without parameters; empty where none is named.
    package let contentType: String
    /// The type of the body as it was sent, with its parameters.
    package let contentTypeHeader: String
    /// Reads the body, of that many bytes at most.
    package let body: @Sendable (_ most: Int) async throws(BodyProblem) -> Data
    /// Hands the body over piece by piece, in place of ``body``; throws what `take` throws, or ``BodyProblem``.
    package let pieces: @Sendable (_ take: (Data) async throws -> Void) async throws -> Void
    /// Where the request comes from, as failed logins are counted.
    package let address: String
    package let userAgent: String
    package let requestID: String
    /// The versions that the client has already: `If-None-Match`.
    package let knownVersions: String

    /// Why a body cannot be read.
    package enum BodyProblem: Error { case tooLarge, incomplete }

    package init(
        method: String, path: String, query: String, token: PresentedAccessToken?, contentTypeHeader: String,
        address: String,
        userAgent: String, requestID: String, knownVersions: String,
        body: @escaping @Sendable (Int) async throws(BodyProblem) -> Data,
        pieces: @escaping @Sendable ((Data) async throws -> Void) async throws -> Void
    ) {
        (self.method, self.path, self.query, self.token) = (method, path, query, token)
        contentType = contentTypeHeader.lowercased().prefix { $0 != ";" }.trimmed
        (self.contentTypeHeader, self.address, self.userAgent) = (contentTypeHeader, address, userAgent)
        (self.requestID, self.knownVersions, self.body, self.pieces) = (requestID, knownVersions, body, pieces)
    }
}
