import Foundation

/// What has expired and may be removed without anybody's being told; sessions are not of that kind, see
/// ``SessionStore/deleteExpired(at:most:in:)``.
package struct ExpiredRowsStore: Sendable {
    let database: any SQLDatabase

    /// Rows removed in one transaction at most: a few milliseconds, so that no login waits for a sweep.
    package static let batch = 200

    /// Removes a batch from each table.
    /// - Parameter logsBefore: when the log events that are kept begin; nil keeps all.
    /// - Returns: whether a table may hold more.
    package func deleteBatch(at now: Date, logsBefore: Date? = nil) async throws -> Bool {
        var mayHoldMore = false
        let logs = logsBefore.map { LogEventStore.expired(before: $0, limit: Self.batch) }
        for statement in Self.statements(now) + [logs].compactMap(\.self) {
            let deleted = try await database.write { try $0.changes(statement) }
            mayHoldMore = mayHoldMore || deleted == Self.batch
        }
        return mayHoldMore
    }

    private static func statements(_ now: Date) -> [SQL] {
        // The condition stands twice, for what is used in the very moment, after it was found: it is no longer expired.
        let day = now.addingTimeInterval(-86_400)
        return [
            """
            DELETE FROM login_transaction WHERE digest IN (
                SELECT digest FROM login_transaction WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            """
            DELETE FROM pushed_request WHERE digest IN (
                SELECT digest FROM pushed_request WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            // A code stays for a day after its end, so that a late replay still takes back what it issued.
            """
            DELETE FROM authorization_code WHERE digest IN (
                SELECT digest FROM authorization_code WHERE expires_at <= \(day) LIMIT \(batch))
                AND expires_at <= \(day)
            """,
            // A device that comes late is told so for a day.
            """
            DELETE FROM device_code WHERE digest IN (
                SELECT digest FROM device_code WHERE expires_at <= \(day) LIMIT \(batch))
                AND expires_at <= \(day)
            """,
            """
            DELETE FROM access_token WHERE digest IN (
                SELECT digest FROM access_token WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            """
            DELETE FROM refresh_token_family WHERE id IN (
                SELECT id FROM refresh_token_family WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            """
            DELETE FROM failed_login WHERE (identifier_digest, address) IN (
                SELECT identifier_digest, address FROM failed_login WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            ClientMetadataDocumentStore.unused(expiredBy: day, limit: batch),
            """
            DELETE FROM used_assertion WHERE digest IN (
                SELECT digest FROM used_assertion WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            """
            DELETE FROM revoked_authorization WHERE authorization_id IN (
                SELECT authorization_id FROM revoked_authorization WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            // Whoever invited sees for a day that nobody came.
            """
            DELETE FROM organization_invitation WHERE id IN (
                SELECT id FROM organization_invitation WHERE expires_at <= \(day) LIMIT \(batch))
                AND expires_at <= \(day)
            """,
            """
            DELETE FROM rate_limit WHERE subject IN (
                SELECT subject FROM rate_limit WHERE expires_at <= \(now) LIMIT \(batch))
                AND expires_at <= \(now)
            """,
            UpstreamTransactionStore.expired(by: now, limit: batch),
            PasswordlessCodeStore.expired(by: now, limit: batch),
            RememberedBrowserStore.expired(by: now, limit: batch),
            MFATokenStore.expired(by: now, limit: batch),
            UserInfoClaimsStore.expired(by: now, limit: batch),
            JobStore.expired(by: now, limit: batch),
            MailStore.expired(by: now, limit: batch),
            TicketStore.expired(by: day, limit: batch),
        ]
    }
}
