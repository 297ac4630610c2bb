import Foundation
import Scripting

/// Scripts in tests run where they always do: in workers of the real program, in the real sandbox.
package enum TestWorkers {
    private final class Marker {}

    /// The program as the build has left it beside the tests.
    package static let program: URL = {
        #if os(macOS)
            let folder = Bundle(for: Marker.self).bundleURL.deletingLastPathComponent()
        #else
            let folder = Bundle.main.bundleURL
        #endif
        return folder.appending(path: "portico")
    }()

    /// Whether this machine gives a sandbox its namespaces. Where it does not, as in most containers, tests do with the
    /// other layers, and those about namespaces do not run.
    package static let hasNamespaces: Bool = {
        #if os(Linux)
            let trial = Process()
            trial.executableURL = URL(filePath: "/usr/bin/unshare")
            trial.arguments = ["--user", "--map-root-user", "--net", "--mount", "--ipc", "--uts", "/bin/true"]
            trial.standardError = FileHandle.nullDevice
            guard (try? trial.run()) != nil else { return false }
            trial.waitUntilExit()
            return trial.terminationStatus == 0
        #else
            return true
        #endif
    }()

    /// What starts a worker.
    package static func settings(size: Int = 4, _ arguments: String...) -> ScriptPool.Settings {
        var settings = ScriptPool.Settings(
            command: [program.path(percentEncoded: false), "script-worker"] + arguments
                + (hasNamespaces || arguments.contains("--without-namespaces") ? [] : ["--without-namespaces"]),
            size: size)
        // Tests are many at once, and the machine may be busy with them.
        (settings.limits.cpu, settings.limits.wall) = (.seconds(20), ScriptLimits.longest)
        settings.patience = .seconds(3600)
        settings.startTime = .seconds(600)
        return settings
    }

    /// One for all tests of a process: no process is started before the first script.
    package static let pool = ScriptPool(settings())
}
