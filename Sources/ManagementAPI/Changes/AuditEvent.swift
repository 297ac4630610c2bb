import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// Who has changed what through the API, with what it was before and is now. Secrets are in neither.
package struct AuditEvent: Sendable {
    package let caller: Caller
    package let subject: Subject
    package let at: Date

    /// One thing that was created, changed or deleted.
    package struct Subject: Sendable {
        /// The resource, such as `clients`.
        package let type: String
        package let id: String
        /// nil for a creation.
        package let before: JSONObject?
        /// nil for a deletion.
        package let after: JSONObject?

        package init(_ type: String, _ id: String, before: JSONObject?, after: JSONObject?) {
            (self.type, self.id) = (type, id)
            (self.before, self.after) = (before.map(Redaction.redacted), after.map(Redaction.redacted))
        }
    }

    init(caller: Caller, subject: Subject, at: Date) { (self.caller, self.subject, self.at) = (caller, subject, at) }

    /// The event as the log keeps it.
    var logEvent: LogEvent {
        var details = caller.details
        (details["resource"], details["id"]) = (.string(subject.type), .string(subject.id))
        details["response"] = ["statusCode": .integer(Int64(caller.status))]
        details["before"] = subject.before.map(JSONValue.object)
        details["after"] = subject.after.map(JSONValue.object)
        return .management(
            succeeded: true, operation: caller.operation, at: at, clientID: caller.principal.client.clientID,
            userID: caller.principal.user?.id, details: details)
    }
}

extension Caller {
    /// Who asks for what, in Auth0's form.
    var details: JSONObject {
        var credentials: JSONObject = ["scopes": JSONValue(principal.scope.values)]
        credentials["jti"] = principal.tokenID.map(JSONValue.string)
        return [
            "request": [
                "method": .string(request.method), "path": .string("/api/v2/\(request.path)"), "channel": "api",
                "auth": ["strategy": "jwt", "credentials": .object(credentials)],
            ]
        ]
    }

    /// A write that was refused, as the log keeps it.
    func logEvent(of refusal: ManagementError, at now: Date) -> LogEvent {
        let answer = refusal.answer
        var details = details
        details["operation"] = .string(operation)
        details["response"] = ["statusCode": .integer(Int64(answer.status))]
        return .management(
            succeeded: false, operation: answer.body?.object?["message"]?.string ?? operation, at: now,
            clientID: principal.client.clientID, userID: principal.user?.id, details: details)
    }
}
