import OAuth
import Storage

extension Planner {
    /// Notes what names a connection or an API that is not there once the plan is applied.
    mutating func checkReferences() {
        if let name = settings.defaultDirectory, !name.isEmpty, !connectionNames.contains(name) {
            problems.append(
                file.problem(
                    "tenant.default_directory",
                    "no connection is called '\(name.forDisplay)'"
                        + (Spelling.nearest(to: name, among: connectionNames).map { "; did you mean \($0)?" } ?? "")))
        }
        if let audience = settings.defaultAudience, !isKnown(audience) {
            problems.append(
                file.problem("tenant.default_audience", "no API has the identifier '\(audience.forDisplay)'"))
        }
        for client in clients.values.sorted(by: { $0.clientID < $1.clientID }) {
            guard let identifier = client.resourceServerIdentifier, !isKnown(identifier) else { continue }
            let entry = file.entries[.clients]?.first {
                $0.members["client_id"]?.string == client.clientID || $0.members["name"]?.string == client.name
            }
            problems.append(
                file.problem(
                    (entry?.path ?? "clients") + ".resource_server_identifier",
                    "no API has the identifier '\(identifier.forDisplay)'; the application \(client.name.forDisplay) "
                        + "is its own"))
        }
    }

    /// The Management API is no resource of a tenant file, and yet every tenant has it.
    private func isKnown(_ identifier: String) -> Bool {
        identifier.isEmpty || resourceServers[identifier] != nil || identifier.hasSuffix("/api/v2/")
    }
}
