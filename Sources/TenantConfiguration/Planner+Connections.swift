import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planConnections() {
        var seen: Set<String> = []
        for type in [ResourceType.databases, .connections] {
            for entry in file.entries[type] ?? [] {
                guard let connection = connection(entry, type) else { continue }
                guard isFirst(connection.name, &seen, entry) else { continue }
                let existing = current.connections.first { $0.name == connection.name }
                if !connection.isDatabase {
                    notApplied.append(
                        "\(entry.path): the strategy \(connection.strategy) is kept, but this version cannot sign in with it yet")
                }
                plan(type, connection.name, before: existing?.document, after: connection.document) { transaction, _ in
                    try ConnectionStore.save(connection, in: transaction)
                }
            }
        }
        guard allowDelete else { return }
        for connection in current.connections where !seen.contains(connection.name) {
            let type: ResourceType = connection.isDatabase ? .databases : .connections
            guard file.entries[type] != nil else { continue }
            planDelete(type, connection.name) { transaction, _ in
                try ConnectionStore.delete(name: connection.name, in: transaction)
            }
        }
    }

    private mutating func connection(_ entry: TenantFile.Entry, _ type: ResourceType) -> Connection? {
        let existing = current.connections.first { $0.name == entry.members["name"]?.string }
        var members = Self.merged(existing?.document ?? [:], entry.members)
        if type == .databases, members["strategy"] == nil { members["strategy"] = "auth0" }
        guard resolveClients(&members, entry) else { return nil }
        if let existing, members["strategy"]?.string != existing.strategy {
            problems.append(
                file.problem("\(entry.path).strategy", "a connection's strategy cannot change; it is \(existing.strategy)"))
            return nil
        }
        if type == .connections, members["strategy"]?.string == nil {
            problems.append(file.problem("\(entry.path).strategy", "is required"))
            return nil
        }
        let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "con_")
        members["id"] = .string(id)
        return parse(members, path: entry.path) { document throws(Document.Problem) in
            try Connection(document: document, standardID: id)
        }
    }

    /// Turns the names in `enabled_clients` into ids.
    private mutating func resolveClients(_ members: inout JSONObject, _ entry: TenantFile.Entry) -> Bool {
        guard let names = entry.members["enabled_clients"]?.array else { return true }
        var ids: [JSONValue] = []
        for (index, name) in names.enumerated() {
            guard let id = clientID(named: name.string ?? "") else {
                problems.append(
                    file.problem(
                        "\(entry.path).enabled_clients[\(index)]",
                        "'\((name.string ?? "").forDisplay)' is the client_id or name of no application, or of several"))
                return false
            }
            ids.append(.string(id))
        }
        members["enabled_clients"] = .array(ids)
        return true
    }

    mutating func planRoles() {
        guard let entries = file.entries[.roles] else { return }
        var seen: Set<String> = []
        for entry in entries {
            let existing = current.roles.first { $0.name == entry.members["name"]?.string }
            let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "rol_")
            var members = Self.merged(existing?.document ?? [:], entry.members)
            members["id"] = .string(id)
            let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
                try Role(document: document, standardID: id)
            }
            guard let role = parsed, isFirst(role.name, &seen, entry), checkPermissions(of: role, entry) else { continue }
            plan(.roles, role.name, before: existing?.document, after: role.document) { transaction, _ in
                try RoleStore.save(role, in: transaction)
            }
        }
        guard allowDelete else { return }
        for role in current.roles where !seen.contains(role.name) {
            planDelete(.roles, role.name) { transaction, _ in try RoleStore.delete(name: role.name, in: transaction) }
        }
    }

    private mutating func checkPermissions(of role: Role, _ entry: TenantFile.Entry) -> Bool {
        for permission in role.permissions {
            guard resourceServers[permission.audience]?.scope.contains(permission.name) == true else {
                problems.append(
                    file.problem(
                        "\(entry.path).permissions", "there is no permission '\(permission.name)' of the API '\(permission.audience)'"))
                return false
            }
        }
        return true
    }
}
