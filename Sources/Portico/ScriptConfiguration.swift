import Foundation
import Scripting

/// What the settings say of rules and actions.
struct ScriptConfiguration: Sendable {
    /// Scripts that run at once.
    let workers: Int
    let limits: ScriptLimits
    /// Whether a worker without namespaces is refused.
    let needsNamespaces: Bool
    /// The engine's library; nil for the system's.
    let library: String?

    /// - Parameter value: what is told for a setting, or its standard.
    init(_ value: (Setting) -> String?) throws {
        func number(_ setting: Setting, _ range: ClosedRange<Int>, else standard: Int = 0) throws -> Int {
            try ServerConfiguration.parse(setting, value(setting) ?? "\(standard)") { text in
                Int(text).flatMap { range.contains($0) ? $0 : nil }
            }
        }
        workers = try number(.scriptWorkers, 1...64, else: min(64, ProcessInfo.processInfo.activeProcessorCount))
        limits = ScriptLimits(
            cpu: .milliseconds(try number(.scriptCPU, 10...20_000)),
            wall: .milliseconds(try number(.scriptTime, 10...20_000)),
            memory: try number(.scriptMemory, 16...4096) << 20)
        needsNamespaces = try ServerConfiguration.parse(.scriptNamespaces, value(.scriptNamespaces)) { text in
            ["true": true, "false": false][text]
        }
        library = value(.scriptLibrary)
    }

    /// Workers of this program.
    func pool() -> ScriptPool {
        var command = [Self.program, ScriptWorkerCommand.name, "--memory", "\(limits.memory)"]
        if let library { command += ["--library", library] }
        if !needsNamespaces { command.append("--without-namespaces") }
        var settings = ScriptPool.Settings(command: command, size: workers, limits: limits)
        // Where this program's own libraries are.
        for name in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            if let path = ProcessInfo.processInfo.environment[name] { settings.environment[name] = path }
        }
        return ScriptPool(settings)
    }

    /// This program, also where its file was replaced meanwhile by that of another version.
    private static var program: String {
        #if os(Linux)
            "/proc/self/exe"
        #else
            Bundle.main.executablePath ?? CommandLine.arguments[0]
        #endif
    }
}
