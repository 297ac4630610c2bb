import Foundation
import OAuth
import Storage

/// One resource that a plan has changed, before and after, as the log tells it.
struct AppliedChange {
    let type: ResourceType
    let name: String
    /// nil where the plan created it.
    private(set) var before: JSONObject?
    /// nil where the plan deleted it.
    private(set) var after: JSONObject?
    /// Whether the resource's own row changed, and not only a part of it, such as a role's permission.
    private var isWhole = false

    private init(type: ResourceType, name: String) { (self.type, self.name) = (type, name) }

    /// What rows that changed come to, resource by resource. A row that is a part of a resource is a member of its list.
    static func all(
        _ changes: [ConfigurationRows.Change], before: ConfigurationRows, after: ConfigurationRows
    ) -> [AppliedChange] {
        var (found, order): ([String: AppliedChange], [String]) = ([:], [])
        func name(_ id: String, in table: String) -> String {
            let place = ConfigurationRows.Place(table: table, key: [.text(id)])
            return (after[place] ?? before[place])?["name"]?.plainText ?? id
        }
        for change in changes {
            guard let table = RollbackTable.all[change.place.table], let row = change.after ?? change.before else {
                continue
            }
            let (type, name) = (table.type(row), table.name(row, name))
            let key = "\(type.rawValue) \(name)"
            if found[key] == nil { order.append(key) }
            found[key, default: AppliedChange(type: type, name: name)].add(change, of: table)
        }
        return order.compactMap { found[$0] }
    }

    private mutating func add(_ change: ConfigurationRows.Change, of table: RollbackTable) {
        func shown(_ row: RollbackTable.Row?) -> JSONObject? {
            guard let row else { return nil }
            var members = table.members(row, of: change.place.table)
            for (field, columns) in table.secrets
            where columns.contains(where: { row[$0].map { $0 != .null } ?? false }) {
                members[field] = "[REDACTED]"
            }
            return members
        }
        guard let part = table.part else {
            isWhole = true
            before = Self.joined(before, shown(change.before))
            after = Self.joined(after, shown(change.after))
            return
        }
        for (row, list) in [(change.before, \AppliedChange.before), (change.after, \AppliedChange.after)] {
            guard let row else { continue }
            let present = self[keyPath: list]?[part.field]?.array ?? []
            self[keyPath: list, default: [:]][part.field] = .array(present + [.string(part.show(row))])
        }
    }

    private static func joined(_ one: JSONObject?, _ other: JSONObject?) -> JSONObject? {
        guard let one, let other else { return one ?? other }
        return one.merging(other) { $1 }
    }

    private var verb: String {
        switch (isWhole, before, after) {
        case (true, nil, _): "Create"
        case (true, _, nil): "Delete"
        default: "Update"
        }
    }

    /// What the log keeps of it.
    func event(by author: ChangeAuthor, at now: Date) -> LogEvent {
        var details: JSONObject = ["resource": .string(type.rawValue), "id": .string(name)]
        details["before"] = before.map(JSONValue.object)
        details["after"] = after.map(JSONValue.object)
        return author.event("\(verb) \(type.singular) \(name.forDisplay)", details, at: now)
    }
}

extension AppliedChange {
    fileprivate subscript(
        keyPath path: WritableKeyPath<AppliedChange, JSONObject?>, default standard: JSONObject
    ) -> JSONObject {
        get { self[keyPath: path] ?? standard }
        set { self[keyPath: path] = newValue }
    }
}
