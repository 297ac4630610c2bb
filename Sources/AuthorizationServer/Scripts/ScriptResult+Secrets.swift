import Scripting

extension ScriptResult {
    /// The result with `***` in place of what the log must not have, wherever the script has written it for somebody to read.
    func hiding(_ secrets: [String]) -> ScriptResult {
        // Shorter ones would hide nothing, and spoil the rest.
        let secrets = secrets.filter { $0.count >= 4 }
        guard !secrets.isEmpty else { return self }
        var end = end
        if case .threw(let failure) = end {
            end = .threw(
                ScriptFailure(
                    name: failure.name.hiding(secrets), message: failure.message.hiding(secrets),
                    code: failure.code?.hiding(secrets), stack: failure.stack.hiding(secrets), line: failure.line))
        }
        return ScriptResult(
            end: end, effects: effects, logs: logs.map { ScriptLog(level: $0.level, text: $0.text.hiding(secrets)) },
            usage: usage)
    }
}

extension String {
    /// The text with `***` in place of others.
    func hiding(_ secrets: [String]) -> String {
        secrets.reduce(self) { $0.replacing($1, with: "***") }
    }
}
