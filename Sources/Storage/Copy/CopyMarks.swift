import OAuth

/// How far a copy has come, kept in the target beside what was copied, in the same transactions.
struct CopyMarks: Sendable {
    /// The last key that was written, by table.
    let lastKeys: [String: [SQLValue]]
    /// Whether there were marks already.
    let wereThere: Bool

    /// The name of the table of marks.
    static let table = "copy_mark"

    /// Stands for the source in the table of marks.
    private static let source = ""

    /// The marks of a copy that was interrupted, or none for a new one.
    /// - Throws: ``TenantCopy/Problem`` where the target holds something else.
    static func begin(in target: any SQLDatabase, sourceName: String) async throws -> CopyMarks {
        try await target.write { transaction in
            try transaction.lock(.migration)
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS copy_mark (name \(.textColumn) PRIMARY KEY, value TEXT NOT NULL)")
            let rows = try transaction.rows("SELECT name, value FROM copy_mark")
            guard !rows.isEmpty else {
                try requireEmpty(transaction)
                try transaction.execute("INSERT INTO copy_mark (name, value) VALUES (\(source), \(sourceName))")
                return CopyMarks(lastKeys: [:], wereThere: false)
            }
            let marks = try Dictionary(
                uniqueKeysWithValues: rows.map { (try $0.text("name"), try $0.text("value")) })
            guard marks[source] == sourceName else {
                throw TenantCopy.Problem(
                    description:
                        "The target holds an unfinished copy of \(marks[source] ?? "something else"). Go on with that "
                        + "one, or empty the target.")
            }
            return CopyMarks(
                lastKeys: try marks.filter { $0.key != source }.mapValues {
                    try key(JSON.decode([String].self, from: $0))
                },
                wereThere: true)
        }
    }

    /// A target that is fresh has the tenant's row as the first migration makes it, and nothing else.
    private static func requireEmpty(_ transaction: any SQLTransaction) throws {
        for table in Table.all {
            let count = try table.count(in: transaction)
            if table.name == "tenant" {
                let isFresh = try TenantStore.configurationVersion(in: transaction) == 1
                guard count == 1, isFresh else { throw notEmpty(table, count) }
            } else if count > 0 {
                throw notEmpty(table, count)
            }
        }
    }

    private static func notEmpty(_ table: Table, _ count: Int) -> TenantCopy.Problem {
        TenantCopy.Problem(
            description: "The target is not empty: '\(table.name)' has \(count) row\(count == 1 ? "" : "s")"
                + "\(table.name == "tenant" ? " that was changed" : ""). Give a schema or a file that does not exist yet."
        )
    }

    /// Notes the last key written; part of the transaction that writes it.
    static func set(_ key: [SQLValue], of table: Table, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO copy_mark (name, value) VALUES (\(table.name), \(JSON.text(text(key))))
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """)
    }

    /// The copy is done and proved.
    static func forget(in target: any SQLDatabase) async throws {
        try await target.write { try $0.execute("DROP TABLE copy_mark") }
    }

    private static func text(_ key: [SQLValue]) -> [String] {
        key.map { value in
            switch value {
            case .integer(let number): "#\(number)"
            case .text(let text): "'\(text)"
            case .null, .bool: ""
            }
        }
    }

    private static func key(_ texts: [String]) -> [SQLValue] {
        texts.map { text in
            text.hasPrefix("#")
                ? Int64(text.dropFirst()).map(SQLValue.integer) ?? .null : .text(String(text.dropFirst()))
        }
    }
}
