import Foundation

/// Allowances that come back one by one: Auth0's token buckets. The row's end is when all are back, so one whose time is up
/// can be removed.
extension RateLimitStore {
    /// Whether nothing is left.
    /// - Parameter allowance: how many at most, and the seconds until one comes back.
    package static func isExhausted(
        _ subject: String, _ allowance: SuspiciousIPThrottling.Allowance, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.row(exhausted(subject, allowance, at: now)) != nil
    }

    /// As ``isExhausted(_:_:at:in:)``, a query with a row where that is so, for another query to ask.
    package static func exhausted(
        _ subject: String, _ allowance: SuspiciousIPThrottling.Allowance, at now: Date
    ) -> SQL {
        "SELECT subject FROM rate_limit WHERE subject = \(subject) AND expires_at > \(latest(allowance, now))"
    }

    /// Takes one, of attempts that run at the same time each another one.
    /// - Returns: whether there was one.
    package static func take(
        _ subject: String, _ allowance: SuspiciousIPThrottling.Allowance, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.row(
            """
            INSERT INTO rate_limit (subject, attempts, expires_at)
            VALUES (\(subject), 1, \(now.addingTimeInterval(allowance.interval)))
            ON CONFLICT (subject) DO UPDATE SET attempts = rate_limit.attempts + 1,
                expires_at = CASE WHEN rate_limit.expires_at > \(now) THEN rate_limit.expires_at ELSE \(now) END
                    + \(allowance.rate)
            WHERE rate_limit.expires_at <= \(latest(allowance, now))
            RETURNING subject
            """) != nil
    }

    /// Takes one whether there is one or not.
    package static func count(
        _ subject: String, _ allowance: SuspiciousIPThrottling.Allowance, at now: Date,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO rate_limit (subject, attempts, expires_at)
            VALUES (\(subject), 1, \(now.addingTimeInterval(allowance.interval)))
            ON CONFLICT (subject) DO UPDATE SET attempts = rate_limit.attempts + 1,
                expires_at = CASE WHEN rate_limit.expires_at > \(now) THEN rate_limit.expires_at ELSE \(now) END
                    + \(allowance.rate)
            """)
    }

    /// Gives all back.
    /// - Returns: whether any was taken.
    package static func clear(_ subject: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes("DELETE FROM rate_limit WHERE subject = \(subject)") > 0
    }

    /// The latest end that a row may have for one more to be there.
    private static func latest(_ allowance: SuspiciousIPThrottling.Allowance, _ now: Date) -> Date {
        now.addingTimeInterval(Double(allowance.most - 1) * allowance.interval)
    }
}
