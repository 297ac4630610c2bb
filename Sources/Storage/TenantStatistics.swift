import Foundation

/// What the tenant's use comes to, in numbers.
package enum TenantStatistics {
    /// A day (UTC) and how often something happened on it.
    package struct Day: Sendable, Hashable {
        /// The day's first moment.
        package let date: Date
        package internal(set) var logins = 0
        package internal(set) var signups = 0
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
        let rows = try transaction.rows(
            """
            SELECT happened_at / 86400000 AS day, type, COUNT(*) AS events FROM log_event
            WHERE log_id >= \(start) AND log_id < \(end) AND type IN (\(login), \(signup))
            GROUP BY happened_at / 86400000, type
            """)
        var days: [Int: Day] = [:]
        for row in rows {
            let number = try row.integer("day")
            var day = days[number] ?? Day(date: Date(timeIntervalSince1970: Double(number * dayLength)))
            if try row.text("type") == login {
                day.logins = try row.integer("events")
            } else {
                day.signups = try row.integer("events")
            }
            days[number] = day
        }
        return days.values.sorted { $0.date < $1.date }
    }
}
