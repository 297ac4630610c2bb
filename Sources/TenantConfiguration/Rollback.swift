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
    /// same resources go with it. A secret that was replaced since then stays: the one before may be known to somebody.
    /// What hung on a deleted resource outside of the configuration, such as the users of a role, does not come back.
    /// - Throws: ``NothingToRollBack``, ``DatabaseHasUsers``, ``SecretBox/CannotOpen``, or ``SQLError``.
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
        try await stores.database.readOnce { transaction in
            for name in rollback.deletedConnections { try DatabaseHasUsers.check(name, in: transaction) }
        }
        return Plan(
            changes: changes.reversed().filter { $0.before == nil }.compactMap(rollback.change)
                + changes.filter { $0.before != nil }.compactMap(rollback.change),
            notApplied: changes.flatMap(rollback.kept), version: version, box: box, takesBack: last.id)
    }
}

/// A database would go without its users, and the next one of its name would inherit them.
package struct DatabaseHasUsers: Error, Sendable, CustomStringConvertible {
    let name: String
    let users: Int

    package var description: String {
        "the database '\(name.forDisplay)' cannot be deleted, it has \(users == 1 ? "a user" : "\(users) users"): "
            + "delete them first, or the connection with them by the Management API "
            + "(DELETE /api/v2/connections/ID); to keep both, name it in the file or in AUTH0_EXCLUDED_DATABASES"
    }

    /// - Throws: itself where a database has users.
    static func check(_ name: String, in transaction: any SQLTransaction) throws {
        let users = try UserStore.count(connection: name, in: transaction)
        guard users == 0 else { throw DatabaseHasUsers(name: name, users: users) }
    }
}

/// Makes changes of a plan from rows.
private struct Rollback {
    let rows: ConfigurationRows
    let changes: [ConfigurationRows.Change]

    /// The names of the connections that the rollback deletes.
    var deletedConnections: [String] {
        changes.filter { $0.before == nil && $0.place.table == "connection" }
            .compactMap { rows[$0.place]?["name"]?.plainText }
    }

    func change(_ change: ConfigurationRows.Change) -> Plan.Change? {
        let place = change.place
        guard let table = RollbackTable.all[place.table] else { return nil }
        let now = rows[place]
        let before = change.before.map { table.restored($0, applied: change.after, now: now).row }
        guard let row = before ?? now else { return nil }
        let differences = self.differences(from: now, to: before, in: place.table, table)
        guard now == nil || before == nil || !differences.isEmpty else { return nil }
        let kind: Plan.Change.Kind =
            table.part != nil ? .update : now == nil ? .create : before == nil ? .delete : .update
        return Plan.Change(
            kind: kind, type: table.type(row), name: table.name(row, name),
            differences: kind == .delete ? [] : differences
        ) { transaction, _ in
            if kind == .delete, place.table == "connection", let name = row["name"]?.plainText {
                try DatabaseHasUsers.check(name, in: transaction)
            }
            try ConfigurationRows.restore(before, at: place, in: transaction)
        }
    }

    /// What of a resource does not become what it was, and why.
    func kept(_ change: ConfigurationRows.Change) -> [String] {
        guard let table = RollbackTable.all[change.place.table], let before = change.before else { return [] }
        let restored = table.restored(before, applied: change.after, now: rows[change.place])
        let resource = "\(table.type(before).singular) \(table.name(before, name).forDisplay)"
        return restored.kept.map { "\(resource): \($0) was replaced since that apply, and stays as it is" }
            + restored.gone.map {
                "\(resource): \($0) was replaced since that apply, for another recipient; it goes, and is to be set anew"
            }
    }

    private func differences(
        from now: [String: SQLValue]?, to before: [String: SQLValue]?, in name: String, _ table: RollbackTable
    ) -> [FieldDifference] {
        if let part = table.part {
            return [FieldDifference(field: part.field, before: now.map(part.show), after: before.map(part.show))]
        }
        let (former, present) = (table.members(now, of: name), table.members(before, of: name))
        var differences = FieldDifference.between(former, present).filter { $0.field != "id" }
        guard let now, let before else { return differences }
        for (field, columns) in table.secrets where columns.contains(where: { now[$0] != before[$0] }) {
            let isThere = columns.contains { before[$0].map { $0 != .null } ?? false }
            differences.append(
                FieldDifference(field: field, before: nil, after: isThere ? "(the one before)" : "(none)"))
        }
        return differences
    }

    /// The name of the resource that a row belongs to.
    private func name(_ id: String, in table: String) -> String {
        let place = ConfigurationRows.Place(table: table, key: [.text(id)])
        let row = rows[place] ?? changes.first { $0.place == place }?.before
        return row?["name"]?.plainText ?? id
    }
}
