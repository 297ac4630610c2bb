import AuthorizationServer
import OAuth
import Storage

extension TenantFile {
    /// Reads the scripts of custom databases that the file changes: one that is no function stops everybody's login.
    /// - Throws: ``TenantFileError`` with all that are none. Where no script can run nothing is said of them.
    package func checkScripts(_ services: Services) async throws {
        let service = ScriptService(services: services)
        let known = try await services.stores.connections.list()
        var problems: [FileProblem] = []
        for entry in entries[.databases] ?? [] {
            let connection = known.first { $0.name == entry.members["name"]?.string }
            do {
                try await service.check(entry.members["options"]?.object ?? [:], replacing: connection)
            } catch let found as Document.Problem {
                problems.append(problem("\(entry.path).\(found.path)", found.message))
            }
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
    }
}
