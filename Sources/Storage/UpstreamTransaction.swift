import Foundation
import OAuth

/// A login that is under way at another provider: what the `state` that went there refers to.
///
/// It belongs to the browser that was sent there and to the connection that it was sent by, and is good for one return.
package struct UpstreamTransaction: Sendable {
    /// The digest of the `state` that the provider gives back.
    package let digest: String
    /// The digest of the cookie of the browser that was sent to the provider.
    package let browserDigest: String
    /// The connection whose provider may answer.
    package let connectionID: String
    /// What must be known again at the return, sealed: which login waits, and what the strategy remembers.
    package let sealedMemory: String
    package let createdAt: Date
    package let expiresAt: Date

    package init(
        digest: String, browserDigest: String, connectionID: String, sealedMemory: String, createdAt: Date,
        expiresAt: Date
    ) {
        (self.digest, self.browserDigest, self.connectionID) = (digest, browserDigest, connectionID)
        (self.sealedMemory, self.createdAt, self.expiresAt) = (sealedMemory, createdAt.storable, expiresAt.storable)
    }
}

/// The logins that are under way at other providers.
package enum UpstreamTransactionStore {
    /// A browser that begins more loses the oldest.
    package static let mostPerBrowser = 10

    /// Keeps a login that begins; of more than ``mostPerBrowser`` the browser loses the oldest.
    package static func insert(_ upstream: UpstreamTransaction, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO upstream_transaction (digest, browser_digest, connection_id, sealed_memory, created_at,
                expires_at)
            VALUES (\(upstream.digest), \(upstream.browserDigest), \(upstream.connectionID),
                \(upstream.sealedMemory), \(upstream.createdAt), \(upstream.expiresAt))
            """)
        try transaction.execute(
            """
            DELETE FROM upstream_transaction WHERE digest IN (
                SELECT digest FROM upstream_transaction
                WHERE browser_digest = \(upstream.browserDigest) AND digest <> \(upstream.digest)
                ORDER BY created_at DESC, digest LIMIT 100 OFFSET \(mostPerBrowser - 1))
            """)
    }

    /// Takes a login out, where this browser began it and its time has not passed. Of several that do so at once one gets it.
    package static func take(
        digest: String, browserDigest: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> UpstreamTransaction? {
        try transaction.row(
            """
            DELETE FROM upstream_transaction
            WHERE digest = \(digest) AND browser_digest = \(browserDigest) AND expires_at > \(now) RETURNING *
            """
        ).map(UpstreamTransaction.init)
    }

    static func expired(by now: Date, limit: Int) -> SQL {
        """
        DELETE FROM upstream_transaction WHERE digest IN (
            SELECT digest FROM upstream_transaction WHERE expires_at <= \(now) LIMIT \(limit))
            AND expires_at <= \(now)
        """
    }
}

extension UpstreamTransaction {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        browserDigest = try row.text("browser_digest")
        connectionID = try row.text("connection_id")
        sealedMemory = try row.text("sealed_memory")
        createdAt = try row.date("created_at")
        expiresAt = try row.date("expires_at")
    }
}
