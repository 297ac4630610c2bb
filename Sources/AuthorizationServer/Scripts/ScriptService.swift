import OAuth
import Scripting
import Storage

/// Whether rules and actions can run at all, for whoever sets them up.
package struct ScriptService: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Runs a script that does nothing.
    /// - Returns: why none can run; nil where they can.
    package func problem() async -> String? {
        let run = ScriptRun(
            kind: .action, name: "check", source: "exports.onExecutePostLogin = async () => {};",
            entry: "onExecutePostLogin",
            input: #"{"event":{},"trigger":"post-change-password","secrets":{},"cache":{},"situation":{}}"#,
            modules: [:])
        switch await services.scripts.run(run, host: NoScriptHost()).end {
        case .returned, .busy: return nil
        case .unavailable(let reason), .crashed(let reason): return reason
        case .threw(let failure): return failure.message
        case .exceeded(let limit): return "a script that does nothing used up its \(limit.rawValue)"
        case .neverSettled: return "a script that does nothing did not end"
        }
    }
}

extension ActionTrigger {
    /// Whether the server runs what is bound there.
    package var isRun: Bool {
        switch self {
        case .postLogin, .credentialsExchange, .preUserRegistration, .postUserRegistration, .postChangePassword: true
        default: false
        }
    }
}
