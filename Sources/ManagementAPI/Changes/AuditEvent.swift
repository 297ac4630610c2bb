import AuthorizationServer
import Foundation
import OAuth
import Storage

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

    /// The event as members of a log entry.
    package var members: JSONObject {
        let (principal, request) = (caller.principal, caller.request)
        var members: JSONObject = [
            "operation": .string(caller.operation), "resource": .string(subject.type), "id": .string(subject.id),
            "client_id": .string(principal.client.clientID), "scope": .string(principal.scope.text),
            "method": .string(request.method), "path": .string("/api/v2/\(request.path)".forDisplay),
            "ip": .string(request.address), "user_agent": .string(request.userAgent.forDisplay),
            "request_id": .string(request.requestID),
        ]
        members["user_id"] = principal.user.map { .string($0.id) }
        members["jti"] = principal.tokenID.map(JSONValue.string)
        members["before"] = subject.before.map(JSONValue.object)
        members["after"] = subject.after.map(JSONValue.object)
        return members
    }
}

/// Keeps secrets out of what is written down.
enum Redaction {
    private static let names: Set<String> = [
        "client_secret", "signing_secret", "password", "password_hash", "custom_password_hash", "secret", "secrets",
        "api_key", "private_key", "access_token", "refresh_token_value", "credentials_secret",
    ]

    /// The object with a mark in the place of each secret.
    static func redacted(_ members: JSONObject) -> JSONObject {
        var shown: JSONObject = [:]
        for (name, value) in members {
            shown[name] =
                switch value {
                case .object(let object): .object(redacted(object))
                case .array(let array):
                    .array(array.map { $0.object.map { .object(redacted($0)) } ?? $0 })
                case .null: value
                default: names.contains(name) ? "[REDACTED]" : value
                }
        }
        return shown
    }
}
