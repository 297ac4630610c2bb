import ArgumentParser
import AuthorizationServer
import Foundation
import OAuth
import Outbound
import Scripting
import Storage

/// `portico scripts`.
struct ScriptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scripts", abstract: "Try rules, actions and database scripts.",
        discussion: "EXAMPLE\n  portico scripts test claims.js --event event.json", subcommands: [Test.self])

    /// `portico scripts test`.
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Run a rule, action or database script in the sandbox, and show what it would change.",
            discussion: """
                The script runs as it would in a login, without a tenant: of what it may ask the server for it has fetch \
                alone. What the event leaves out is made up. Ends with 1 where the login would not go on.

                EXAMPLES
                  portico scripts test claims.js
                  portico scripts test claims.js --event event.json --secret KEY=value
                  portico scripts test rule.js --event rule.json    {"user": …, "context": …, "configuration": …}
                  portico scripts test login.js --database login --event login.json    {"arguments": ["ada@example.com", "secret"]}
                """)

        @Argument(help: "The file of the rule, the action or the database script.")
        var file: String
        @Option(help: "A file with the action's event, or with the rule's user, context and configuration, as JSON.")
        var event: String?
        @Option(help: "The trigger of an action, such as credentials-exchange.")
        var trigger: String?
        @Option(help: "What the script of a custom database does: login, get_user, create, verify and so on.")
        var database: String?
        @Option(
            name: .customLong("secret"),
            help: "A secret of the action, or of a database script's configuration, as NAME=value; once for each.")
        var secrets: [String] = []
        @OptionGroup var scripts: ScriptOptions
        @OptionGroup var options: DataOptions

        func run() async throws {
            let source = String(decoding: try Self.read(file), as: UTF8.self)
            var situation = ScriptTrial.Situation()
            if let event {
                let content = try Self.read(event)
                do throws(JSONReader.Problem) {
                    situation.event = try JSON.decode(JSONObject.self, from: content)
                } catch {
                    throw CommandFailure("\(event) is no JSON object: \(error.description)")
                }
            }
            if let trigger {
                guard let named = ActionTrigger(rawValue: trigger), named.isRun else {
                    let known = ActionTrigger.allCases.filter(\.isRun).map(\.rawValue).joined(separator: ", ")
                    throw CommandFailure("There is no trigger '\(trigger)'. Use one of: \(known)")
                }
                situation.trigger = named
            }
            if let database {
                guard let script = CustomDatabase.Script(rawValue: database) else {
                    let known = CustomDatabase.Script.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandFailure("There is no database script '\(database)'. Use one of: \(known)")
                }
                situation.database = script
            }
            for secret in secrets {
                guard let sign = secret.firstIndex(of: "=") else {
                    throw CommandFailure("--secret takes NAME=value, and '\(secret)' has no '='.")
                }
                situation.secrets[String(secret[..<sign])] = String(secret[sign...].dropFirst())
            }
            let configuration = try await ServerConfiguration.read(
                flags: options.flags.merging(scripts.flags) { $1 }, file: options.config)
            let trial = ScriptTrial(
                engine: configuration.scripts.pool(), outbound: try GuardedHTTPClient(allowsLoopback: true))
            let name = URL(filePath: file).lastPathComponent
            let report = try await trial.run(source, name: name, situation)
            for line in report.lines { print(line) }
            if !report.isGood { throw ExitCode(1) }
        }

        private static func read(_ file: String) throws(CommandFailure) -> Data {
            do {
                return try Data(contentsOf: URL(filePath: file))
            } catch {
                throw CommandFailure("\(file) cannot be read: \(error.localizedDescription)")
            }
        }
    }
}
