import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planConnections() {
        var seen: Set<String> = []
        for type in [ResourceType.databases, .connections] {
            for entry in file.entries[type] ?? [] {
                var entry = entry
                let secret = importSecret(&entry)
                let secrets = takeSecrets(&entry)
                guard let connection = connection(entry, type) else { continue }
                guard isFirst(connection.name, &seen, entry) else { continue }
                let existing = current.connections.first { $0.name == connection.name }
                if type == .databases, !connection.isDatabase {
                    problems.append(
                        file.problem(
                            "\(entry.path).strategy", "a database's strategy is auth0; put the others under connections"
                        ))
                }
                if !connection.isDatabase, strategies[connection.strategy] == nil {
                    notApplied.append(
                        "\(entry.path): the strategy \(connection.strategy) is kept, but this version cannot "
                            + "sign in with it yet"
                    )
                }
                connectionNames.insert(connection.name)
                sendsTextMessages = sendsTextMessages || connection.sendsTextMessages
                do throws(Document.Problem) {
                    try plan(connection, before: existing, secret: secret, secrets: secrets)
                } catch {
                    note([error], at: entry.path)
                }
            }
        }
        for connection in current.connections where !seen.contains(connection.name) {
            let type: ResourceType = connection.isDatabase ? .databases : .connections
            guard allowDelete, file.entries[type] != nil, !file.excluded.covers(type, connection.name) else {
                connectionNames.insert(connection.name)
                sendsTextMessages = sendsTextMessages || connection.sendsTextMessages
                try? plan(remaining(of: connection), before: connection)
                continue
            }
            if let users = current.userCounts[connection.name], users > 0 {
                problems.append(
                    file.problem(
                        type.rawValue, DatabaseHasUsers(name: connection.name, users: users).description))
                continue
            }
            planDelete(type, connection.name) { transaction, _ in
                _ = try ConnectionStore.hold(id: connection.id, in: transaction)
                try DatabaseHasUsers.check(connection.name, in: transaction)
                try ConnectionStore.delete(name: connection.name, in: transaction)
            }
        }
    }

    /// - Parameters:
    ///   - secret: what the old tenant is to be asked with; nil leaves what there is.
    ///   - secrets: those of the options; what they do not name stays.
    /// - Throws: ``Document/Problem`` for options that nobody could sign in with.
    private mutating func plan(
        _ connection: Connection, before: Connection?, secret: String? = nil, secrets: JSONObject = [:]
    ) throws(Document.Problem) {
        let type: ResourceType = connection.isDatabase ? .databases : .connections
        let present = current.importSecrets[connection.name].flatMap { try? box.open($0) }
        let isKept = before.map { connection.keepsImportSecret(of: $0) } ?? false
        let sealed = secret == present && isKept ? nil : secret.flatMap { try? box.seal($0) }
        let field = "options.\(ImportSource.option).client_secret"
        var differences: [FieldDifference] = []
        if let secret, secret != present {
            differences = [FieldDifference(field: field, before: nil, after: present == nil ? "(set)" : "(changed)")]
        } else if secret == nil, present != nil, !isKept {
            differences = [FieldDifference(field: field, before: "(set)", after: nil)]
        }
        let write = try write(connection, before: before, secrets)
        differences += write.changedSecrets.map { change in
            FieldDifference(
                field: "options.\(change.name)", before: change.wasThere ? "(set)" : nil,
                after: !change.isThere ? nil : change.wasThere ? "(changed)" : "(set)")
        }
        plan(
            type, connection.name, before: before?.document, after: connection.document, alsoChanged: differences
        ) { [box] transaction, _ in
            try write.saving(box)(transaction)
            if let sealed { try ConnectionStore.saveImportSecret(sealed, of: connection.name, in: transaction) }
        }
    }

    private func write(
        _ connection: Connection, before: Connection?, _ secrets: JSONObject
    ) throws(Document.Problem) -> ConnectionWrite {
        do {
            return try ConnectionWrite(
                connection, secrets: secrets, replacing: before, sealed: current.connectionSecrets[connection.name],
                strategies, box: box, path: "")
        } catch let problem as Document.Problem {
            throw problem
        } catch {
            throw Document.Problem(path: "options", message: "\(error)")
        }
    }

    /// Takes the secrets of the options out of an entry, whose strategy may be the present connection's.
    private func takeSecrets(_ entry: inout TenantFile.Entry) -> JSONObject {
        let present = current.connections.first { $0.name == entry.members["name"]?.string }
        var members = entry.members
        members["strategy"] = members["strategy"] ?? present.map { .string($0.strategy) }
        let secrets = ConnectionWrite.takeSecrets(from: &members, strategies)
        members["strategy"] = entry.members["strategy"]
        entry = TenantFile.Entry(members: members, path: entry.path)
        return secrets
    }

    /// Takes the secret for the old tenant out of an entry.
    private mutating func importSecret(_ entry: inout TenantFile.Entry) -> String? {
        var members = entry.members
        do throws(Document.Problem) {
            let secret = try ConnectionRules.takeImportSecret(from: &members)
            entry = TenantFile.Entry(members: members, path: entry.path)
            return secret
        } catch {
            note([error], at: entry.path)
            return nil
        }
    }

    /// The connection without the applications that are no longer there.
    private func remaining(of connection: Connection) -> Connection {
        var connection = connection
        connection.enabledClients = connection.enabledClients.filter { clients[$0] != nil }
        return connection
    }

    private mutating func connection(_ entry: TenantFile.Entry, _ type: ResourceType) -> Connection? {
        let existing = current.connections.first { $0.name == entry.members["name"]?.string }
        var members = Self.merged(existing.map(remaining)?.document ?? [:], entry.members)
        if let options = entry.members["options"]?.object {
            members["options"] = .object(withoutForeignSecrets(options, "\(entry.path).options"))
        }
        if type == .databases, members["strategy"] == nil { members["strategy"] = "auth0" }
        resolveClients(&members, entry)
        if let existing, members["strategy"]?.string != existing.strategy {
            problems.append(
                file.problem(
                    "\(entry.path).strategy", "a connection's strategy cannot change; it is \(existing.strategy)"))
            return nil
        }
        if type == .connections, members["strategy"]?.string == nil {
            problems.append(file.problem("\(entry.path).strategy", "is required"))
            return nil
        }
        let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "con_")
        members["id"] = .string(id)
        let (hasOptions, path) = (entry.members["options"] != nil, entry.path)
        return parse(members, path: entry.path) { document throws(Document.Problem) in
            let connection = try Connection(document: document, standardID: id)
            if hasOptions { try ConnectionRules.checkScripts(of: connection.document, path: path) }
            return connection
        }
    }

    /// Turns the names in `enabled_clients` into ids.
    private mutating func resolveClients(_ members: inout JSONObject, _ entry: TenantFile.Entry) {
        guard let names = entry.members["enabled_clients"]?.array else { return }
        var ids: [JSONValue] = []
        for (index, name) in names.enumerated() {
            guard let id = clientID(named: name.string ?? "") else {
                problems.append(
                    file.problem(
                        "\(entry.path).enabled_clients[\(index)]",
                        "'\((name.string ?? "").forDisplay)' is the client_id or name of no application, or of several")
                )
                continue
            }
            ids.append(.string(id))
        }
        members["enabled_clients"] = .array(ids)
    }

    mutating func planRoles() {
        var seen: Set<String> = []
        defer {
            for role in current.roles where !seen.contains(role.name) {
                if !allowDelete || file.entries[.roles] == nil { plan(remaining(of: role), before: role) }
            }
        }
        guard let entries = file.entries[.roles] else { return }
        for entry in entries {
            let existing = current.roles.first { $0.name == entry.members["name"]?.string }
            let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "rol_")
            var members = Self.merged(existing.map(remaining)?.document ?? [:], entry.members)
            members["id"] = .string(id)
            let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
                try Role(document: document, standardID: id)
            }
            guard let role = parsed, isFirst(role.name, &seen, entry), checkPermissions(of: role, entry) else {
                continue
            }
            plan(role, before: existing)
        }
        guard allowDelete else { return }
        for role in current.roles where !seen.contains(role.name) && !file.excluded.covers(.roles, role.name) {
            planDelete(.roles, role.name) { transaction, _ in try RoleStore.delete(name: role.name, in: transaction) }
        }
    }

    private mutating func plan(_ role: Role, before: Role?) {
        plan(.roles, role.name, before: before?.document, after: role.document) { transaction, _ in
            try RoleStore.save(role, in: transaction)
        }
    }

    /// The role without the permissions that no API has any longer.
    private func remaining(of role: Role) -> Role {
        var role = role
        role.permissions = role.permissions.filter(isThere)
        return role
    }

    private func isThere(_ permission: Role.Permission) -> Bool {
        resourceServers[permission.audience]?.scope.contains(permission.name) == true
    }

    private mutating func checkPermissions(of role: Role, _ entry: TenantFile.Entry) -> Bool {
        let unknown = role.permissions.filter { !isThere($0) }.sorted {
            ($0.audience, $0.name) < ($1.audience, $1.name)
        }
        for permission in unknown {
            let index = entry.members["permissions"]?.array?.firstIndex { element in
                element.object?["permission_name"] == .string(permission.name)
                    && element.object?["resource_server_identifier"] == .string(permission.audience)
            }
            problems.append(
                file.problem(
                    "\(entry.path).permissions" + (index.map { "[\($0)]" } ?? ""),
                    "the API '\(permission.audience.forDisplay)' has no permission '\(permission.name.forDisplay)'"))
        }
        return unknown.isEmpty
    }
}
