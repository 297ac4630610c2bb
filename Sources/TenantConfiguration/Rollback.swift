import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Plan {
    /// Nothing is left that could be taken back.
    package struct NothingToRollBack: Error, CustomStringConvertible {
        package let description = "There is no apply that could be taken back; 'portico history' lists them."
    }

    /// The plan that takes back the last apply: the rows that it changed become what they were, and later changes of the
    /// same resources go with it. What hung on a deleted resource outside of the configuration, such as the users of a
    /// role, does not come back.
    /// - Throws: ``NothingToRollBack``, ``SecretBox/CannotOpen``, or ``SQLError``.
    package static func rollback(stores: Stores, box: SecretBox) async throws -> Plan {
        let (last, rows, version) = try await stores.database.read { transaction in
            (
                try ConfigurationHistoryStore.last(in: transaction), try ConfigurationRows(in: transaction),
                try TenantStore.configurationVersion(in: transaction)
            )
        }
        guard let last else { throw NothingToRollBack() }
        let changes = try ConfigurationRows.changes(from: box.open(last.sealedRows))
        let rollback = Rollback(rows: rows, changes: changes)
        return Plan(
            changes: changes.reversed().filter { $0.before == nil }.compactMap(rollback.change)
                + changes.filter { $0.before != nil }.compactMap(rollback.change),
            notApplied: [], version: version, box: box, takesBack: last.id)
    }
}

/// Makes changes of a plan from rows.
private struct Rollback {
    let rows: ConfigurationRows
    let changes: [ConfigurationRows.Change]

    func change(_ change: ConfigurationRows.Change) -> Plan.Change? {
        let place = change.place
        let (now, before) = (rows[place], change.before)
        guard now != before else { return nil }
        let differences = self.differences(from: now, to: before, in: place.table)
        guard now == nil || before == nil || !differences.isEmpty else { return nil }
        let isPermission = place.table == "role_permission"
        let kind: Plan.Change.Kind = isPermission ? .update : now == nil ? .create : before == nil ? .delete : .update
        return Plan.Change(
            kind: kind, type: type(of: before ?? now ?? [:], in: place.table),
            name: name(of: before ?? now ?? [:], place),
            differences: kind == .delete ? [] : differences
        ) { transaction, _ in
            try ConfigurationRows.restore(before, at: place, in: transaction)
        }
    }

    private func differences(
        from now: [String: SQLValue]?, to before: [String: SQLValue]?, in table: String
    ) -> [FieldDifference] {
        if table == "role_permission" {
            func show(_ row: [String: SQLValue]?) -> String? {
                row.map { "\(Self.text($0["permission"])) of \(Self.text($0["audience"]))" }
            }
            return [FieldDifference(field: "permissions", before: show(now), after: show(before))]
        }
        var differences = FieldDifference.between(Self.document(now, table), Self.document(before, table))
            .filter { $0.field != "id" }
        let secrets = [
            "client": ("secret_digest", "client_secret"),
            "resource_server": ("sealed_signing_secret", "signing_secret"),
        ]
        if let (column, field) = secrets[table], let now, let before, now[column] != before[column] {
            differences.append(FieldDifference(field: field, before: nil, after: "(the one before)"))
        }
        return differences
    }

    private static func document(_ row: [String: SQLValue]?, _ table: String) -> JSONObject {
        guard let row else { return [:] }
        if table == "role" {
            return ["name": .string(text(row["name"])), "description": .string(text(row["description"]))]
        }
        return (try? JSON.decode(JSONObject.self, from: text(row["document"]))) ?? [:]
    }

    private func type(of row: [String: SQLValue], in table: String) -> ResourceType {
        switch table {
        case "tenant": .tenant
        case "client": .clients
        case "resource_server": .resourceServers
        case "client_grant": .clientGrants
        case "connection": Self.text(row["strategy"]) == Connection.databaseStrategy ? .databases : .connections
        default: .roles
        }
    }

    private func name(of row: [String: SQLValue], _ place: ConfigurationRows.Place) -> String {
        switch place.table {
        case "tenant": "settings"
        case "resource_server": Self.text(row["identifier"])
        case "client_grant": "\(Self.text(row["client_id"])) → \(Self.text(row["audience"]))"
        case "role_permission": roleName(Self.text(row["role_id"]))
        default: Self.text(row["name"])
        }
    }

    private func roleName(_ id: String) -> String {
        let place = ConfigurationRows.Place(table: "role", key: [.text(id)])
        let row = rows[place] ?? changes.first { $0.place == place }?.before
        return row.map { Self.text($0["name"]) } ?? id
    }

    private static func text(_ value: SQLValue?) -> String {
        if case .text(let text)? = value { text } else { "" }
    }
}
