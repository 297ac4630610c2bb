import AuthorizationServer
import Foundation

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
    /// Reads the body, of that many bytes at most.
    package let body: @Sendable (_ most: Int) async throws(BodyProblem) -> Data
    /// Where the request comes from, as failed logins are counted.
    package let address: String
    package let userAgent: String
    package let requestID: String
    /// The versions that the client has already: `If-None-Match`.
    package let knownVersions: String

    /// Why a body cannot be read.
    package enum BodyProblem: Error { case tooLarge, incomplete }

    package init(
        method: String, path: String, query: String, token: PresentedAccessToken?, contentType: String, address: String,
        userAgent: String, requestID: String, knownVersions: String,
        body: @escaping @Sendable (Int) async throws(BodyProblem) -> Data
    ) {
        (self.method, self.path, self.query, self.token) = (method, path, query, token)
        (self.contentType, self.address, self.userAgent) = (contentType, address, userAgent)
        (self.requestID, self.knownVersions, self.body) = (requestID, knownVersions, body)
    }
}
