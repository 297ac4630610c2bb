import Foundation
import OAuth
import Storage

/// Who changes a tenant without the Management API: somebody at a machine, with a command.
package struct ChangeAuthor: Sendable {
    /// The user's name on the machine.
    package let user: String
    /// The machine.
    package let hostname: String?
    /// The command, such as `apply`.
    package let command: String

    package init(user: String = "", hostname: String? = nil, command: String = "apply") {
        (self.user, self.hostname, self.command) = (user, hostname, command)
    }

    /// What the log keeps of a change, as it does of one through the API.
    /// - Parameters:
    ///   - operation: what was done, such as `Create application Shop`.
    ///   - details: what was changed; secrets in it are redacted.
    package func event(_ operation: String, _ details: JSONObject, at now: Date) -> LogEvent {
        var members = Redaction.redacted(details)
        members["request"] = [
            "channel": "cli", "command": .string("portico \(command)"),
            "auth": ["strategy": "local", "user": ["name": .string(user)]],
        ]
        var event = LogEvent.management(
            succeeded: true, operation: operation, at: now, clientID: nil, userID: nil, details: members)
        (event.userName, event.hostname) = (user.isEmpty ? nil : user, hostname)
        return event.cleaned
    }

    /// Writes such an event down by itself.
    package func log(_ operation: String, _ details: JSONObject, to stores: Stores, at now: Date) async throws {
        let event = event(operation, details, at: now)
        try await stores.database.write { try LogEventStore.append([event], at: now, in: $0) }
    }
}
