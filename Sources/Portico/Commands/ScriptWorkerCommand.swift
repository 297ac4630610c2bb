import ArgumentParser
import Foundation
import ScriptWorker
import Scripting

/// `portico script-worker`: what the server starts to run scripts in. Nobody types it.
struct ScriptWorkerCommand: ParsableCommand {
    static let name = "script-worker"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Run scripts for a server, in a sandbox.", shouldDisplay: false)

    @Option(help: "The library that runs scripts, if not the system's.")
    var library: String?

    @Option(help: "Bytes that a script may take.")
    var memory = ScriptLimits.standard.memory

    @Flag(help: "Run scripts also where namespaces are forbidden.")
    var withoutNamespaces = false

    @Option(help: "Try this inside the sandbox, and say how it went.")
    var probe: String?

    func run() throws {
        throw CommandFailure("script-worker: the server starts it; there is nothing that it does for you")
    }

    /// Becomes a worker where the command line says so and a server is at the other end. A worker's sandbox has to be closed
    /// before there is a second thread: before anything that may wait.
    static func serveIfAsked() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, arguments[1] == name, ScriptWorker.hasServer,
            let command = try? parse(Array(arguments.dropFirst(2)))
        else { return }
        ScriptWorker(
            ScriptWorker.Options(
                library: command.library, memory: command.memory, needsNamespaces: !command.withoutNamespaces,
                probe: command.probe)
        ).serve()
    }
}
