import ArgumentParser
import Foundation
import TenantConfiguration

/// `portico export`.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the tenant's configuration in Auth0's Deploy CLI format, without its secrets.",
        discussion: """
            A name with a slash at its end, or of a folder that is there, gets the folder form: a JSON file for each \
            resource. Files of resources that are no longer there are removed from it.

            EXAMPLES
              portico export > tenant.yaml
              portico export tenant.yaml
              portico export tenant/
            """)

    @Argument(help: "The file or folder to write; the standard output without it.")
    var file: String?
    @OptionGroup var options: DataOptions

    func run() async throws {
        let stores = try await options.workspace().stores
        guard let file else { return print(try await TenantExport.yaml(stores), terminator: "") }
        var isFolder: ObjCBool = false
        if file.hasSuffix("/")
            || FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) && isFolder.boolValue
        {
            return try await TenantExport.write(stores, to: URL(filePath: file))
        }
        try await Data(TenantExport.yaml(stores).utf8).write(to: URL(filePath: file), options: .atomic)
    }
}
