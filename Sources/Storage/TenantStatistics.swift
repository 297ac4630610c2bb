import Foundation

/// What the tenant's use comes to, in numbers.
package enum TenantStatistics {
    /// A day (UTC) and how often something happened on it.
    package struct Day: Sendable, Hashable {
        /// The day's first moment.
        package let date: Date
        package internal(set) var logins = 0
        package internal(set) var signups = 0
        /// Passwords that others had lost, at logins, sign-ups and password changes.
        package internal(set) var leakedPasswords = 0
    }

    private static let dayLength = 86_400

    /// The users who have signed in since a moment.
    package static func activeUsers(since date: Date, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row(
            """
            SELECT COUNT(*) AS users FROM user_account WHERE primary_user_id IS NULL AND last_login >= \(date)
            """)?.integer("users") ?? 0
    }

    /// What the log says of each day from one to another; days without log events are left out.
    package static func daily(
        from first: Date, through last: Date, in transaction: any SQLTransaction
    ) throws -> [Day] {
        let start = LogEventID.first(at: first)
        let end = LogEventID.first(at: last.addingTimeInterval(Double(dayLength)))
        let (login, signup) = (LogEventType.login.rawValue, LogEventType.signup.rawValue)
        let leaks: [LogEventType] = [.breachedPassword, .breachedSignup, .breachedPasswordChange]
        let counted = [login, signup] + leaks.map(\.rawValue)
        let rows = try transaction.rows(
            """
            SELECT happened_at / 86400000 AS day, type, COUNT(*) AS events FROM log_event
            WHERE log_id >= \(start) AND log_id < \(end) AND type IN (\(values: counted.map(\.sqlValue)))
            GROUP BY happened_at / 86400000, type
            """)
        var days: [Int: Day] = [:]
        for row in rows {
            let number = try row.integer("day")
            var day = days[number] ?? Day(date: Date(timeIntervalSince1970: Double(number * dayLength)))
            let events = try row.integer("events")
            switch try row.text("type") {
            case login: day.logins = events
            case signup: day.signups = events
            default: day.leakedPasswords += events
            }
            days[number] = day
        }
        return days.values.sorted { $0.date < $1.date }
    }
}
