import Foundation

/// How often somebody did something in a window of time that begins with the first time.
package struct RateLimitStore: Sendable {
    let database: any SQLDatabase

    /// Counts one more attempt: of attempts that run at the same time each is another one.
    /// - Parameters:
    ///   - subject: what is counted and for whom, such as `registration 192.0.2.1`.
    ///   - most: attempts in one window.
    ///   - window: seconds.
    /// - Returns: nil where the attempt is one of those allowed, or the seconds until the window ends.
    package func refusal(_ subject: String, most: Int, window: TimeInterval, at now: Date) async throws -> Int? {
        try await database.write { transaction in
            let row = try transaction.row(
                """
                INSERT INTO rate_limit (subject, attempts, expires_at)
                VALUES (\(subject), 1, \(now.addingTimeInterval(window)))
                ON CONFLICT (subject) DO UPDATE SET
                    attempts = CASE WHEN rate_limit.expires_at > \(now) THEN rate_limit.attempts + 1 ELSE 1 END,
                    expires_at = CASE WHEN rate_limit.expires_at > \(now) THEN rate_limit.expires_at
                        ELSE excluded.expires_at END
                RETURNING attempts, expires_at
                """)
            guard let row, try row.integer("attempts") > most else { return nil }
            return max(1, Int(try row.date("expires_at").timeIntervalSince(now).rounded(.up)))
        }
    }

    /// Gives one attempt back, which turned out to be none.
    package func giveBack(_ subject: String) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "UPDATE rate_limit SET attempts = attempts - 1 WHERE subject = \(subject) AND attempts > 0")
        }
    }
}
