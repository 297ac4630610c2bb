import OAuth

/// What is done about passwords that others have lost, with the names and defaults of Auth0's
/// `/api/v2/attack-protection/breached-password-detection`. Where the passwords are known from is the server's setting.
package struct BreachedPasswordDetection: TenantSection {
    package static let name = "breached-password-detection"

    /// What is done about a login. Nobody writes to administrators: `admin_notification` is kept, and the log tells.
    package enum Shield: String, Sendable, CaseIterable {
        case block
        case userNotification = "user_notification"
        case adminNotification = "admin_notification"
    }

    /// What is done where somebody chooses a password.
    package enum ChoiceShield: String, Sendable, CaseIterable {
        case block
        case adminNotification = "admin_notification"
    }

    /// Where somebody chooses a password.
    package enum Stage: String, Sendable, CaseIterable {
        case signup = "pre-user-registration"
        case passwordChange = "pre-change-password"
    }

    private enum Frequency: String, CaseIterable { case immediately, daily, weekly, monthly }
    /// `enhanced` is a list of Auth0's own that it has earlier; both look into the one that the server has.
    private enum Method: String, CaseIterable { case standard, enhanced }

    package var isEnabled = false
    package var shields: [Shield] = []
    private var stages: [Stage: [ChoiceShield]] = [:]
    private var frequencies: [Frequency] = []
    private var method = Method.standard

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        isEnabled = try document.bool("enabled", default: false)
        shields = try document.choices("shields", Shield.self) ?? []
        frequencies = try document.choices("admin_notification_frequency", Frequency.self) ?? []
        method = try document.oneOf("method", Method.self) ?? .standard
        if var stage = try document.document("stage") {
            for name in Stage.allCases {
                guard var members = try stage.document(name.rawValue) else { continue }
                stages[name] = try members.choices("shields", ChoiceShield.self) ?? []
                _ = try members.remaining(known: [])
            }
            _ = try stage.remaining(known: [])
        }
        _ = try document.remaining(known: [])
    }

    package var document: JSONObject {
        let stage = Stage.allCases.map { name in
            (name.rawValue, ["shields": JSONValue((stages[name] ?? []).map(\.rawValue))] as JSONValue)
        }
        return [
            "enabled": .bool(isEnabled), "shields": JSONValue(shields.map(\.rawValue)),
            "admin_notification_frequency": JSONValue(frequencies.map(\.rawValue)),
            "method": .string(method.rawValue), "stage": .object(JSONObject(uniqueKeysWithValues: stage)),
        ]
    }

    /// Whether the password of a login is looked up.
    package var looksAtLogins: Bool { isEnabled && !shields.isEmpty }

    /// What is done about a password that is chosen; empty where it is not looked up.
    package func shields(at stage: Stage) -> [ChoiceShield] { isEnabled ? stages[stage] ?? [] : [] }
}
