/// What became of a run. Everything in it that a script wrote is hostile until it has been checked.
package struct ScriptResult: Sendable {
    /// How a run ends.
    package enum End: Sendable, Equatable {
        /// The JSON text of what the kind's prelude gave to `host.done`.
        case returned(String)
        case threw(ScriptFailure)
        case exceeded(Limit)
        /// Nothing is left to do, and the script has neither returned nor failed: a callback that nobody called.
        case neverSettled
        /// The worker has died of it, in these words.
        case crashed(String)
        /// No worker can be had: why, and how to mend it. The script has not run.
        case unavailable(String)
        /// All workers are taken, and too many wait for one: why, and how to mend it. The script has not run; later it may.
        case busy(String)
    }

    /// What a script can use too much of.
    package enum Limit: String, Sendable {
        case cpu, wall, memory, output
    }

    package let end: End
    /// What the script asked for, in its order; kept whatever the end is.
    package let effects: [ScriptEffect]
    package let logs: [ScriptLog]
    package let usage: ScriptUsage

    package init(
        end: End, effects: [ScriptEffect] = [], logs: [ScriptLog] = [], usage: ScriptUsage = ScriptUsage()
    ) {
        (self.end, self.effects, self.logs, self.usage) = (end, effects, logs, usage)
    }
}

/// What a script threw, or rejected with.
package struct ScriptFailure: Error, Equatable {
    /// Such as `TypeError`; `NonError` for what is no object.
    package let name: String
    package let message: String
    /// Its `code` where it has one, such as `MODULE_NOT_FOUND`.
    package let code: String?
    package let stack: String
    /// The line of the tenant's source, from 1.
    package let line: Int?

    package init(name: String, message: String, code: String? = nil, stack: String = "", line: Int? = nil) {
        (self.name, self.message, self.code, self.stack, self.line) = (name, message, code, stack, line)
    }
}

/// Something that a script asked for, such as a claim: an operation's name and its arguments as JSON text.
package struct ScriptEffect: Sendable, Equatable {
    package let op: String
    package let value: String

    package init(op: String, value: String) { (self.op, self.value) = (op, value) }
}

/// A line that a script wrote to its console.
package struct ScriptLog: Sendable, Equatable {
    /// `log`, `info`, `warn`, `error`, `debug` or `trace`.
    package let level: String
    /// At most 256 characters, as Auth0 keeps them.
    package let text: String

    package init(level: String, text: String) { (self.level, self.text) = (level, text) }
}

/// What a run used.
package struct ScriptUsage: Sendable, Equatable {
    package let cpu: Duration
    package let wall: Duration
    /// Bytes that the worker had resident at most, its own included.
    package let peakMemory: Int

    package init(cpu: Duration = .zero, wall: Duration = .zero, peakMemory: Int = 0) {
        (self.cpu, self.wall, self.peakMemory) = (cpu, wall, peakMemory)
    }
}
