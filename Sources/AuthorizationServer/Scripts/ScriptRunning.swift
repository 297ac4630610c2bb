import OAuth
import Storage

/// Runs the tenant's rules and actions at a point of a flow.
///
/// This version has no engine for them. Who goes on without a script that may have denied the login, or taken a scope away,
/// would let in whom the tenant keeps out: a flow in which one is due ends here instead.
package struct ScriptRunning: Sendable {
    let services: Services

    /// - Parameter trail: learns what was due.
    /// - Throws: ``OAuthError`` `server_error` where there is something to run.
    func run(at triggers: ActionTrigger..., trail: LogTrail) async throws {
        let due = try await services.configuration.dueScripts().at(triggers)
        guard !due.isEmpty else { return }
        trail.note { $0.details["scripts"] = .array(due.map { .string($0.title) }) }
        throw OAuthError(
            .serverError, "A script of the tenant has to run here, and this server cannot run scripts.",
            hint: "Disable or unbind: \(due.map(\.title).joined(separator: ", ")). " + Self.explanation)
    }
}

extension ScriptRunning {
    /// For whoever sees a rule or an action that is to run.
    package static var explanation: String {
        "This version of Portico keeps rules and actions but cannot run them; logins that need one are refused."
    }
}
