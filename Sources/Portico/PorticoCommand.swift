import ArgumentParser
import AuthorizationServer

/// The `portico` command.
@main
struct PorticoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "portico",
        abstract: "An identity server that speaks Auth0's dialect of OAuth 2.0 and OpenID Connect.",
        discussion: """
            EXAMPLES
              portico apply --yes tenant.yaml
              portico users create --email ada@example.com --password 'correct Horse 7'
              portico serve --issuer http://localhost:8080/ --listen 127.0.0.1:8080
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, PlanCommand.self, ApplyCommand.self, HistoryCommand.self, RollbackCommand.self,
            ExportCommand.self, MigrateCommand.self, UsersCommand.self, KeysCommand.self, LogsCommand.self,
            ScriptsCommand.self, CopyCommand.self,
            DoctorCommand.self, VersionCommand.self, ScriptWorkerCommand.self,
        ])

    @MainActor
    static func main() async {
        OpenSSLLibrary.forgoCleanUp()
        ScriptWorkerCommand.serveIfAsked()
        await main(nil)
    }
}

/// Which Portico this is.
enum Version {
    static let text = "0.1.0"
}

/// `portico version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.", discussion: "EXAMPLE\n  portico version")

    func run() { print("portico \(Version.text)") }
}
