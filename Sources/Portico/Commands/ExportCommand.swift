import ArgumentParser
import Foundation
import TenantConfiguration

/// `portico export`.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the tenant's configuration in Auth0's Deploy CLI format, without its secrets.",
        discussion: """
            EXAMPLES
              portico export > tenant.yaml
              portico export tenant.yaml
            """)

    @Argument(help: "The file to write; the standard output without it.")
    var file: String?
    @OptionGroup var options: DataOptions

    func run() async throws {
        let text = try await TenantExport.yaml(options.workspace().stores)
        guard let file else { return print(text, terminator: "") }
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
    }
}
