import OAuth
import Scripting
import Storage

/// A script that did not end as a script should: what the application is told, and what the log is.
struct FailedScript: Error, Sendable {
    /// Such as `rule Add roles`.
    let title: String
    /// What happened, with the line where that is known; for the log, and in development for the developer.
    let cause: String
    /// Whether it is the server's doing, and not the script's.
    let isServers: Bool

    /// - Returns: nil where the script has ended well.
    init?(_ title: String, _ end: ScriptResult.End, _ limits: ScriptLimits) {
        self.title = title
        switch end {
        case .returned: return nil
        case .threw(let failure):
            let line = failure.line.map { "line \($0): " } ?? ""
            (cause, isServers) = ("\(line)\(failure.name.forDisplay): \(failure.message.forDisplay)", false)
        case .exceeded(let limit): (cause, isServers) = (Self.excess(limit, limits), false)
        case .neverSettled:
            (cause, isServers) = ("it never ended: nobody called the callback, or a promise stays open", false)
        case .crashed(let words): (cause, isServers) = ("its process died: \(words.forDisplay)", true)
        case .unavailable(let reason): (cause, isServers) = (reason, true)
        }
    }

    init(_ title: String, cause: String) { (self.title, self.cause, isServers) = (title, cause, false) }

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
        OAuthError(
            isServers ? .serverError : .accessDenied,
            isServers ? "A script of the tenant could not run." : "A script of the tenant failed.",
            hint: "\(title): \(cause)", reason: .failedScript)
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
