import Foundation
import OAuth

/// A client that a URL describes, `draft-ietf-oauth-client-id-metadata-document`: until when its row, which has this URL
/// for its `client_id`, needs no second look at the document.
package struct ClientMetadataDocumentStore: Sendable {
    let database: any SQLDatabase

    /// More clients than this push out those that nobody uses.
    package static let most = 10_000

    /// Whether the client's row is as its document was not long ago.
    package func isFresh(_ url: String, at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row(
                "SELECT client_id FROM client_metadata_document WHERE client_id = \(url) AND expires_at > \(now)")
                != nil
        }
    }

    /// Keeps what a document says; other nodes hear of it only where it says something new.
    /// - Parameter most: the number of such clients that there may be.
    /// - Returns: false where there are that many, and users have signed in to each.
    package static func save(
        _ client: Client, until end: Date, most: Int = most, at now: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.lock(.configuration)
        let before = try ClientStore.find(client.clientID, in: transaction)
        if before == nil, try count(in: transaction) >= most {
            guard try transaction.changes(unused(expiredBy: nil, limit: most / 10 + 1)) > 0 else { return false }
        }
        if before?.client != client {
            try ClientStore.save(client, secretDigest: nil, sealedSecret: nil, at: now, in: transaction)
        }
        try transaction.execute(
            """
            INSERT INTO client_metadata_document (client_id, expires_at) VALUES (\(client.clientID), \(end))
            ON CONFLICT (client_id) DO UPDATE SET expires_at = excluded.expires_at
            """)
        return true
    }

    private static func count(in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS rows FROM client_metadata_document")?.integer("rows") ?? 0
    }

    /// Removes clients to which no user has anything to do, the oldest documents first.
    static func unused(expiredBy end: Date?, limit: Int) -> SQL {
        let end = end ?? .distantFuture
        return """
            DELETE FROM client WHERE client_id IN (
                SELECT client_id FROM client_metadata_document AS document
                WHERE expires_at <= \(end)
                    AND NOT EXISTS (SELECT 1 FROM consent_grant WHERE consent_grant.client_id = document.client_id)
                    AND NOT EXISTS (
                        SELECT 1 FROM refresh_token_family WHERE refresh_token_family.client_id = document.client_id)
                    AND NOT EXISTS (SELECT 1 FROM access_token WHERE access_token.client_id = document.client_id)
                    AND NOT EXISTS (
                        SELECT 1 FROM login_transaction WHERE login_transaction.client_id = document.client_id)
                ORDER BY expires_at LIMIT \(limit))
            """
    }
}
