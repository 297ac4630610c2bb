import OAuth

/// The rows of a tenant's configuration, whatever they hold: what an apply may change, and a rollback restores.
package struct ConfigurationRows: Sendable {
    /// The tables of configuration, those that others refer to first.
    package static let tables = Table.all.filter {
        [
            "tenant", "tenant_section", "client", "resource_server", "client_grant", "connection", "email_provider",
            "email_template", "role",
            "role_permission", "log_stream", "organization", "organization_connection", "organization_client_grant",
            "rule", "rule_configuration", "action", "action_version", "action_binding",
        ].contains($0.name)
    }

    /// The columns of these tables that no configuration sets: they go on as they are, whatever is applied or taken back.
    private static let running: [String: Set<String>] = [
        "tenant": ["configuration_version"], "log_stream": ["last_log_id", "failures", "due_at"],
    ]

    private var rows: [Place: [SQLValue]] = [:]

    /// A row's table and key.
    package struct Place: Sendable, Hashable {
        package let table: String
        package let key: [SQLValue]

        package init(table: String, key: [SQLValue]) { (self.table, self.key) = (table, key) }
    }

    /// A row before and after; nil where there was none.
    package struct Change: Sendable {
        package let place: Place
        package let before: [String: SQLValue]?
        package let after: [String: SQLValue]?
    }

    /// Reads every row.
    package init(in transaction: any SQLTransaction) throws {
        for table in Self.tables {
            var key: [SQLValue] = []
            while true {
                let found = try table.rows(after: key, limit: 500, in: transaction)
                for row in found { rows[Place(table: table.name, key: table.key(of: row))] = row }
                guard found.count == 500, let last = found.last else { break }
                key = table.key(of: last)
            }
        }
    }

    /// Whether two rows are the same but for what goes on by itself.
    private static func isSame(_ one: [SQLValue]?, _ other: [SQLValue]?, in table: Table) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        let running = running[table.name] ?? []
        return zip(table.columnNames, zip(one, other)).allSatisfy { running.contains($0) || $1.0 == $1.1 }
    }

    private static func named(_ row: [SQLValue], of table: Table) -> [String: SQLValue] {
        Dictionary(zip(table.columnNames, row)) { first, _ in first }
    }

    /// A row without what goes on by itself.
    package static func configured(_ row: [String: SQLValue], in table: String) -> [String: SQLValue] {
        row.filter { running[table]?.contains($0.key) != true }
    }

    /// The row at a place, by its columns.
    package subscript(place: Place) -> [String: SQLValue]? {
        guard let row = rows[place], let table = Self.tables.first(where: { $0.name == place.table }) else {
            return nil
        }
        return Self.named(row, of: table)
    }

    /// What changed from `earlier` on, as JSON that ``changes(from:)`` reads.
    package func changes(since earlier: ConfigurationRows) throws -> String {
        var list: [JSONValue] = []
        for (index, table) in Self.tables.enumerated() {
            let places = Set(rows.keys).union(earlier.rows.keys).filter { $0.table == table.name }
            for place in places where !Self.isSame(rows[place], earlier.rows[place], in: table) {
                list.append([
                    "table": .integer(Int64(index)), "key": Self.json(place.key),
                    "before": earlier.rows[place].map(Self.json) ?? .null, "after": rows[place].map(Self.json) ?? .null,
                ])
            }
        }
        return try JSON.text(["tables": JSONValue(Self.tables.map(\.name)), "changes": .array(list)] as JSONObject)
    }

    /// Reads what ``changes(since:)`` wrote.
    package static func changes(from text: String) throws -> [Change] {
        let members = try JSON.decode(JSONObject.self, from: text)
        let names = (members["tables"]?.array ?? []).map { $0.string ?? "" }
        return (members["changes"]?.array ?? []).compactMap { element in
            guard let change = element.object, let index = change["table"]?.integer, names.indices.contains(index),
                let table = tables.first(where: { $0.name == names[index] })
            else { return nil }
            func row(_ name: String) -> [String: SQLValue]? {
                change[name]?.array.map { named($0.map(value), of: table) }
            }
            return Change(
                place: Place(table: table.name, key: (change["key"]?.array ?? []).map(value)), before: row("before"),
                after: row("after"))
        }
    }

    /// Writes a row as it was, or removes it where there was none. What goes on by itself stays where the row is there.
    package static func restore(
        _ row: [String: SQLValue]?, at place: Place, in transaction: any SQLTransaction
    ) throws {
        guard let table = tables.first(where: { $0.name == place.table }) else { return }
        guard let row else { return try table.delete(place.key, in: transaction) }
        let present = try table.row(with: place.key, in: transaction).map { named($0, of: table) } ?? [:]
        let goesOn = present.filter { running[table.name]?.contains($0.key) == true }
        let restored = row.merging(goesOn) { $1 }
        if table.name == "rule", case .text(let id)? = row["id"], case .text(let name)? = row["name"],
            case .integer(let order)? = row["run_order"]
        {
            try RuleStore.makeWay(for: id, name: name, order: Int(order), in: transaction)
        }
        try table.write(table.columnNames.map { restored[$0] ?? .null }, in: transaction)
    }

    private static func json(_ row: [SQLValue]) -> JSONValue {
        .array(
            row.map { value in
                switch value {
                case .null: .null
                case .bool(let bool): .bool(bool)
                case .integer(let integer): .integer(integer)
                case .text(let text): .string(text)
                }
            })
    }

    private static func value(_ json: JSONValue) -> SQLValue {
        switch json {
        case .bool(let bool): .bool(bool)
        case .integer(let integer): .integer(integer)
        case .string(let text): .text(text)
        default: .null
        }
    }
}
