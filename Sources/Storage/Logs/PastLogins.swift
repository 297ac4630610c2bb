import Foundation
import OAuth

/// A login of before, as the log tells of it.
package struct PastLogin: Sendable, Hashable {
    package let happenedAt: Date
    package let ip: String?
    package let userAgent: String?
    /// The browser; nil where the log does not say.
    package let deviceID: String?
}

/// What is known of a user's logins before one, and of where that comes from.
package struct LoginHistory: Sendable {
    /// The last one first.
    package let logins: [PastLogin]
    /// Whether something is said against where the login comes from.
    package let isSuspicious: Bool

    /// The member of an event's details that names the browser of a login which the tenant's scripts have let in, or in which a
    /// second factor was passed. Others prove nothing of whose browser it is: whoever has the password makes as many as they like.
    package static let deviceMember = "device_id"

    /// The logins of a user that were before a moment, in one statement.
    /// - Parameter isSuspicious: a query with a row where something is said against the login; nil for nothing.
    package static func find(
        of userID: String, before end: Date, limit: Int, isSuspicious: SQL?, in transaction: any SQLTransaction
    ) throws -> LoginHistory {
        // The types and the member stand there as they are: an index has these events alone. No text in a member of the details
        // reads like that, because its quotation marks have backslashes.
        let suspicion: SQL = isSuspicious.map { query -> SQL in "EXISTS (\(part: query))" } ?? "1 = 0"
        let rows = try transaction.rows(
            """
            SELECT CASE WHEN \(part: suspicion) THEN 1 ELSE 0 END AS suspicious, past.*
            FROM (SELECT 1 AS one) AS present LEFT JOIN (
                SELECT log_id, happened_at, ip, user_agent, details FROM log_event
                WHERE user_id = \(userID) AND details LIKE '%"device_id":"v%' AND happened_at < \(end)
                ORDER BY log_id DESC LIMIT \(limit)) AS past ON 1 = 1
            ORDER BY past.log_id DESC
            """)
        return LoginHistory(
            logins: try rows.filter { $0.optionalText("log_id") != nil }.map(PastLogin.init),
            isSuspicious: rows.first?.optionalInteger("suspicious") == 1)
    }
}

extension PastLogin {
    fileprivate init(_ row: SQLRow) throws {
        let details: JSONObject = try row.json("details")
        (happenedAt, ip) = (try row.date("happened_at"), row.optionalText("ip"))
        (userAgent, deviceID) = (row.optionalText("user_agent"), details[LoginHistory.deviceMember]?.string)
    }
}
