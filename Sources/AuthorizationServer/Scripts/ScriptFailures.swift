import OAuth
import Scripting
import Storage

/// A script that did not end as a script should: what the application is told, and what the log is.
struct FailedScript: Error, Sendable {
    /// Such as `rule Add roles`.
    let title: String
    /// What happened, with the line where that is known; for the log, and in development for the developer.
    let cause: String
    /// What the application is told.
    let told: Told

    /// Whose doing it is.
    enum Told {
        case script
        case server
        /// All workers were taken: it may go better later.
        case busy
    }

    /// - Returns: nil where the script has ended well.
    init?(_ title: String, _ end: ScriptResult.End, _ limits: ScriptLimits) {
        self.title = title
        switch end {
        case .returned: return nil
        case .threw(let failure):
            let line = failure.line.map { "line \($0): " } ?? ""
            (cause, told) = ("\(line)\(failure.name.forDisplay): \(failure.message.forDisplay)", .script)
        case .exceeded(let limit): (cause, told) = (Self.excess(limit, limits), .script)
        case .neverSettled:
            (cause, told) = ("it never ended: nobody called the callback, or a promise stays open", .script)
        case .crashed(let words): (cause, told) = ("its process died: \(words.forDisplay)", .server)
        case .unavailable(let reason): (cause, told) = (reason, .server)
        case .busy(let reason): (cause, told) = (reason, .busy)
        }
    }

    init(_ title: String, cause: String) { (self.title, self.cause, told) = (title, cause, .script) }

    private static func excess(_ limit: ScriptResult.Limit, _ limits: ScriptLimits) -> String {
        switch limit {
        case .cpu: "it used more processor time than the \(limits.cpu.milliseconds) ms that it has"
        case .wall: "it took longer than the \(limits.wall.milliseconds) ms that it has"
        case .memory: "it used more than \(limits.memory >> 20) MB of memory"
        case .output: "it gave back more than \(limits.output >> 10) KB"
        }
    }

    /// What the application is told. A script that fails has let nobody in.
    var error: OAuthError {
        let (code, text): (OAuthError.Code, String) =
            switch told {
            case .script: (.accessDenied, "A script of the tenant failed.")
            case .server: (.serverError, "A script of the tenant could not run.")
            case .busy: (.temporarilyUnavailable, "A script of the tenant could not run now; try again later.")
            }
        return OAuthError(code, text, hint: "\(title): \(cause)", reason: .failedScript)
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
