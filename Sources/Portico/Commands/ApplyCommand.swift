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
            Shows what would change, and asks. ##KEY## and @@KEY@@ in the file are replaced from the environment; what \
            AUTH0_EXCLUDED and AUTH0_EXCLUDED_CLIENTS, _CONNECTIONS, _DATABASES, _RESOURCE_SERVERS and _ROLES name is left \
            alone. A running server follows within a second. 'portico rollback' takes an apply back.

            EXAMPLES
              portico apply tenant.yaml
              portico apply --yes ./auth0-export/
              portico apply shop.plan
            """)

    @OptionGroup var source: PlanOptions
    @Flag(help: "Apply without asking.")
    var yes = false

    func run() async throws {
        let workspace = try await source.options.workspace()
        let plan = try await plan(workspace)
        print(plan.text)
        guard !plan.isEmpty else { return }
        guard yes || isConfirmed("Apply these changes?") else {
            print("Nothing was changed.")
            throw ExitCode(1)
        }
        let outcome = try await plan.apply(to: workspace.stores, at: Date(), by: .here("apply"))
        print(outcome.text)
    }

    private func plan(_ workspace: Workspace) async throws -> Plan {
        let url = URL(filePath: source.file)
        guard PlanFile.isPlan(url) else { return try await source.plan(workspace).plan }
        do {
            return try await PlanFile(contentsOf: url, box: workspace.secret.box).plan(
                stores: workspace.stores, box: workspace.secret.box,
                strategies: workspace.services.strategies)
        } catch let refused as PlanFile.Refused {
            throw CommandFailure(refused.description)
        } catch let error as TenantFileError {
            throw CommandFailure("The plan does not fit the tenant any longer:\n\(error)")
        }
    }
}
