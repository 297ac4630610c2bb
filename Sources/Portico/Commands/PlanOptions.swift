import ArgumentParser
import AuthorizationServer
import Foundation
import TenantConfiguration

/// What the commands take that compare a file with the tenant.
struct PlanOptions: ParsableArguments {
    @Argument(help: "A YAML or JSON file, or the folder of an export.")
    var file: String
    @Flag(
        name: [.customLong("allow-delete"), .customLong("delete")],
        help: "Remove what the file's lists do not name (AUTH0_ALLOW_DELETE=true does the same).")
    var allowDelete = false
    @OptionGroup var options: DataOptions

    /// The file, and its plan against the tenant.
    /// - Throws: ``CommandFailure`` with everything that is wrong with the file.
    func plan(_ workspace: Workspace) async throws -> (file: TenantFile, plan: Plan) {
        let environment = ProcessInfo.processInfo.environment
        do {
            let parsed = try TenantFile(contentsOf: URL(filePath: file), environment: environment)
            let plan = try await Plan.make(
                parsed, stores: workspace.stores, box: workspace.secret.box,
                strategies: workspace.services.strategies,
                allowDelete: allowDelete || environment["AUTH0_ALLOW_DELETE"] == "true")
            try await parsed.checkScripts(workspace.services)
            return (parsed, plan)
        } catch let error as TenantFileError {
            throw CommandFailure("\(error)")
        }
    }
}

/// Whether somebody at the terminal says yes.
func isConfirmed(_ question: String) -> Bool {
    print("\(question) [y/N] ", terminator: "")
    fflush(nil)
    return ["y", "yes"].contains(readLine()?.lowercased())
}
