/// Runs scripts.
package protocol ScriptEngine: Sendable {
    /// What a script may use at most by this server's settings.
    var limits: ScriptLimits { get }
    /// Packages that scripts find beside ``ScriptModules/available``.
    var modules: ModuleFolder { get }

    /// Runs one script to its end. Never throws: what can go wrong is an end of the result.
    /// - Parameter host: answers what the script asks while it runs.
    func run(_ run: ScriptRun, host: any ScriptHost) async -> ScriptResult
}

extension ScriptEngine {
    package var limits: ScriptLimits { .standard }
    /// None.
    package var modules: ModuleFolder { ModuleFolder([]) }
}

/// Answers what a script asks the server for while it runs: `fetch`, and others by name (`users.updateAppMetadata` …).
package protocol ScriptHost: Sendable {
    /// The answer to one call. Calls of a run may overlap; one whose run has ended is cancelled.
    func answer(_ call: ScriptCall) async -> ScriptAnswer
}

/// A question of a script to the server.
package struct ScriptCall: Sendable, Equatable {
    package let name: String
    /// JSON text, hostile until it has been checked.
    package let arguments: String

    package init(name: String, arguments: String) { (self.name, self.arguments) = (name, arguments) }
}

/// What the server says to a script.
package enum ScriptAnswer: Sendable, Equatable {
    /// JSON text.
    case value(String)
    /// The message of the `Error` that the script gets.
    case failure(String)
}

/// A host that has nothing to offer.
package struct NoScriptHost: ScriptHost {
    package init() {}

    /// Refuses.
    package func answer(_ call: ScriptCall) async -> ScriptAnswer { .failure("'\(call.name)' is not available here") }
}

/// An engine that there is not: every script fails closed.
package struct NoScriptEngine: ScriptEngine {
    private let reason: String

    package init(reason: String) { self.reason = reason }

    package func run(_ run: ScriptRun, host: any ScriptHost) async -> ScriptResult {
        ScriptResult(end: .unavailable(reason))
    }
}
