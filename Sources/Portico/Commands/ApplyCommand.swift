import ArgumentParser
import AuthorizationServer
import Foundation
import TenantConfiguration

/// `portico apply`.
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make the tenant as a file says, in Auth0's Deploy CLI format.",
        discussion: """
            Shows what would change, and asks. ##KEY## and @@KEY@@ in the file are replaced from the environment. A \
            running server follows within a second.

            EXAMPLES
              portico apply tenant.yaml
              portico apply --yes ./auth0-export/
            """)

    @Argument(help: "A YAML file, or the folder of an export.")
    var file: String
    @Flag(help: "Apply without asking.")
    var yes = false
    @Flag(help: "Remove what the file's lists do not name (AUTH0_ALLOW_DELETE=true does the same).")
    var delete = false
    @OptionGroup var options: DataOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let workspace = try await options.workspace()
        let plan: Plan
        do {
            let parsed = try TenantFile(contentsOf: URL(filePath: file), environment: environment)
            plan = try await Plan.make(
                parsed, stores: workspace.stores, box: workspace.secret.box,
                allowDelete: delete || environment["AUTH0_ALLOW_DELETE"] == "true")
        } catch let error as TenantFileError {
            throw CommandFailure("\(error)")
        }
        print(plan.text)
        guard !plan.isEmpty else { return }
        guard yes || isConfirmed() else {
            print("Nothing was changed.")
            throw ExitCode(1)
        }
        let outcome = try await plan.apply(to: workspace.stores, at: Date())
        print(outcome.text)
    }

    private func isConfirmed() -> Bool {
        print("Apply these changes? [y/N] ", terminator: "")
        fflush(nil)
        return ["y", "yes"].contains(readLine()?.lowercased())
    }
}
