import ArgumentParser
import AuthorizationServer
import Foundation
import TenantConfiguration

/// `portico plan`.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what applying a file would change, and change nothing.",
        discussion: """
            Ends with 0 where nothing would change, with 2 where something would, and with 1 where the file cannot be \
            applied. A plan in a file is applied as it was shown, or not at all.

            EXAMPLES
              portico plan tenant.yaml
              portico plan ./auth0-export/ --out shop.plan && portico apply shop.plan
            """)

    @OptionGroup var source: PlanOptions
    @Option(help: "Write the plan to this file, for 'portico apply'. What the tenant file says is sealed in it.")
    var out: String?

    func run() async throws {
        let workspace = try await source.options.workspace()
        let (file, plan) = try await source.plan(workspace)
        print(plan.text)
        if let out {
            let text = try PlanFile.text(of: plan, from: file, box: workspace.secret.box)
            try Data(text.utf8).write(to: URL(filePath: out), options: .atomic)
        }
        if !plan.isEmpty { throw ExitCode(2) }
    }
}
