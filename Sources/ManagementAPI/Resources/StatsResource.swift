import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/stats`: how much the tenant is used, as far as users and the log tell.
struct StatsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("stats")
            .get("active-users", requires: .read("stats"), "Get active users count", answers: .number, use: activeUsers)
            .get("daily", requires: .read("stats"), "Get daily stats", answers: .list(Self.members), use: daily)
    }

    private static let members: Members = [
        "date": .text.always, "logins": .count.always, "signups": .count.always, "leaked_passwords": .count.always,
        "created_at": .text.always, "updated_at": .text.always,
    ]

    private static let day: TimeInterval = 86_400

    struct Days: Payload {
        let from: Date?
        let to: Date?

        init(from document: inout Document) throws(Document.Problem) {
            from = try Self.day("from", &document)
            to = try Self.day("to", &document)
            if let from, let to, from > to { throw document.problem("to", "must not be before 'from'") }
        }

        /// A day as `YYYYMMDD`.
        private static func day(_ name: String, _ document: inout Document) throws(Document.Problem) -> Date? {
            guard let text = try document.string(name) else { return nil }
            let (year, month, day) = (text.prefix(4), text.dropFirst(4).prefix(2), text.dropFirst(6))
            guard text.utf8.count == 8, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let date = try? Date("\(year)-\(month)-\(day)T00:00:00Z", strategy: .iso8601)
            else { throw document.problem(name, "must be a day such as 20260131") }
            return date
        }
    }

    @Sendable private func activeUsers(_ call: Plain) async throws -> Answer {
        let since = management.services.now().addingTimeInterval(-30 * Self.day)
        let count = try await management.stores.database.readOnce {
            try TenantStatistics.activeUsers(since: since, in: $0)
        }
        return Answer(status: 200, body: .integer(Int64(count)))
    }

    @Sendable private func daily(_ call: Query<Days>) async throws -> Answer {
        let now = management.services.now()
        let last = call.query.to ?? now
        let first = call.query.from ?? last.addingTimeInterval(-30 * Self.day)
        let days = try await management.stores.database.readOnce {
            try TenantStatistics.daily(from: first, through: last, in: $0)
        }
        return .ok(
            days.map { day in
                [
                    "date": UserMembers.time(day.date), "logins": .integer(Int64(day.logins)),
                    "signups": .integer(Int64(day.signups)), "leaked_passwords": .integer(Int64(day.leakedPasswords)),
                    "created_at": UserMembers.time(day.date),
                    "updated_at": UserMembers.time(min(now, day.date.addingTimeInterval(Self.day))),
                ]
            })
    }
}
