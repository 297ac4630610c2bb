import Foundation
import OAuth

/// An authorization request that a client has sent ahead, [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126).
package struct PushedAuthorizationRequest: Sendable {
    /// The digest of the reference in its `request_uri`.
    package let digest: String
    package let clientID: String
    package let parameters: [String: String]
    package let expiresAt: Date

    package init(digest: String, clientID: String, parameters: [String: String], expiresAt: Date) {
        (self.digest, self.clientID, self.parameters) = (digest, clientID, parameters)
        self.expiresAt = expiresAt.storable
    }
}

/// The pushed requests that wait for their browser.
package struct PushedAuthorizationRequestStore: Sendable {
    let database: any SQLDatabase

    /// Keeps a request that is about to be acknowledged.
    package static func insert(_ request: PushedAuthorizationRequest, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO pushed_request (digest, client_id, parameters, expires_at)
            VALUES (\(request.digest), \(request.clientID), \(JSON.text(request.parameters)), \(request.expiresAt))
            """)
    }

    /// Takes the request out: of several that present its reference, one gets it. Another client's is left alone.
    /// - Returns: nil for what is unknown, used, expired or another client's.
    package static func take(
        digest: String, clientID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> PushedAuthorizationRequest? {
        try transaction.row(
            """
            DELETE FROM pushed_request WHERE digest = \(digest) AND client_id = \(clientID) AND expires_at > \(now)
            RETURNING *
            """
        ).map(PushedAuthorizationRequest.init)
    }
}

extension PushedAuthorizationRequest {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        clientID = try row.text("client_id")
        parameters = try row.json("parameters")
        expiresAt = try row.date("expires_at")
    }
}
