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

    /// What starts a worker.
    package static func settings(size: Int = 4, _ arguments: String...) -> ScriptPool.Settings {
        ScriptPool.Settings(command: [program.path(percentEncoded: false), "script-worker"] + arguments, size: size)
    }

    /// One for all tests of a process: no process is started before the first script.
    package static let pool = ScriptPool(settings())
}
