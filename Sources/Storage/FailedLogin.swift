import Foundation

/// Failed logins in a row of one identifier from one address, which brute-force protection counts.
package struct FailedLoginStore: Sendable {
    let database: any SQLDatabase

    /// A block ends by itself after 30 days without another attempt.
    package static let blockLifetime: TimeInterval = 30 * 86_400

    /// Takes one attempt from those that the pair has left, before the password is looked at: attempts that run at the
    /// same time cannot each see the others' failures as not yet counted. A success gives all back.
    /// - Returns: whether the pair had one left.
    package static func takeAttempt(
        identifierDigest: String, address: String, most: Int, at now: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        let row = try transaction.row(
            """
            INSERT INTO failed_login (identifier_digest, address, failures, expires_at)
            VALUES (\(identifierDigest), \(address), 1, \(now.addingTimeInterval(blockLifetime)))
            ON CONFLICT (identifier_digest, address) DO UPDATE SET
                failures = CASE WHEN failed_login.expires_at > \(now) THEN failed_login.failures + 1 ELSE 1 END,
                expires_at = excluded.expires_at
            RETURNING failures
            """)
        return try row?.integer("failures") ?? 1 <= most
    }

    /// Writes a row that belongs to nobody and that the next sweep removes, to see whether the database takes writes. No
    /// transaction but another trial waits for it.
    package func tryWriting() async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO failed_login (identifier_digest, address, failures, expires_at) VALUES ('', '', 0, 0)
                ON CONFLICT (identifier_digest, address) DO UPDATE SET failures = 0
                """)
            try transaction.requireRoom()
        }
    }

    /// The identifiers that have no attempt left, and from where.
    package static func blocked(
        _ identifierDigests: [String], most: Int, at now: Date, in transaction: any SQLTransaction
    ) throws -> [(identifierDigest: String, address: String)] {
        guard !identifierDigests.isEmpty else { return [] }
        return try transaction.rows(
            """
            SELECT identifier_digest, address FROM failed_login
            WHERE identifier_digest IN (\(values: identifierDigests.map(\.sqlValue))) AND failures >= \(most)
                AND expires_at > \(now)
            ORDER BY identifier_digest, address
            """
        ).map { (try $0.text("identifier_digest"), try $0.text("address")) }
    }

    /// Gives an identifier all attempts back, wherever they come from.
    package static func clear(identifierDigest: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM failed_login WHERE identifier_digest = \(identifierDigest)")
    }

    /// Gives the pair all its attempts back.
    package static func clear(
        identifierDigest: String, address: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "DELETE FROM failed_login WHERE identifier_digest = \(identifierDigest) AND address = \(address)")
    }
}
