import OAuth

/// A point at which actions run: Auth0's trigger. The name is part of Auth0's API.
package enum ActionTrigger: String, Sendable, CaseIterable {
    case postLogin = "post-login"
    case credentialsExchange = "credentials-exchange"
    case preUserRegistration = "pre-user-registration"
    case postUserRegistration = "post-user-registration"
    case postChangePassword = "post-change-password"
    case sendPhoneMessage = "send-phone-message"
    case passwordResetPostChallenge = "password-reset-post-challenge"
    case customPhoneProvider = "custom-phone-provider"
    case customEmailProvider = "custom-email-provider"
    case loginPostIdentifier = "login-post-identifier"
    case signupPostIdentifier = "signup-post-identifier"
    case customTokenExchange = "custom-token-exchange"
    case eventStream = "event-stream"
    case passwordHashMigration = "password-hash-migration"

    /// The newest version of its event and API, from 1 on.
    private var newestVersion: Int {
        switch self {
        case .postLogin: 3
        case .credentialsExchange, .preUserRegistration, .postUserRegistration, .postChangePassword, .sendPhoneMessage:
            2
        default: 1
        }
    }

    /// Such as `v1` and `v2`, the newest last.
    package var versions: [String] { (1...newestVersion).map { "v\($0)" } }

    /// The version that an action has which names none.
    package var currentVersion: String { "v\(newestVersion)" }

    /// Whether actions are bound to the trigger itself, and not to one thing each, such as an exchange profile.
    package var takesBindings: Bool {
        switch self {
        case .customTokenExchange, .eventStream, .passwordHashMigration: false
        default: true
        }
    }

    /// The trigger's versions as Auth0 describes them.
    package var documents: [JSONObject] {
        versions.reversed().map { version in
            let isCurrent = version == currentVersion
            var members: JSONObject = [
                "id": .string(rawValue), "version": .string(version),
                "status": isCurrent ? "CURRENT" : "DEPRECATED",
                "runtimes": JSONValue(isCurrent ? ["node18-actions", "node22"] : ["node22"]),
                "default_runtime": .string(ActionContent.standardRuntime),
                "binding_policy": takesBindings ? "trigger-bound" : "entity-bound", "compatible_triggers": [],
            ]
            if self == .postLogin, isCurrent {
                members["compatible_triggers"] = [["id": .string(rawValue), "version": "v2"]]
            }
            return members
        }
    }
}
