import OAuth

/// A script that runs at every login, Auth0's rule: `function (user, context, callback) {…}`.
package struct Rule: Sendable, Hashable {
    /// `rul_` and 16 letters and digits.
    package let id: String
    package var name: String
    package var script: String
    /// Rules run from the lowest on; no two have the same.
    package var order: Int
    package var isEnabled: Bool

    /// Bytes of a script at most; Auth0's limit for an action too.
    package static let largestScript = 100 * 1024
    /// What ``order`` may be.
    package static let orders = 0...1_000_000_000

    /// When the script runs. Auth0 has two others, which ran before it made them actions.
    private enum Stage: String, CaseIterable { case loginSuccess = "login_success" }

    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        name = try document.requiredString("name", most: 255)
        guard name.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9 -]*[A-Za-z0-9])?/) != nil else {
            throw document.problem(
                "name", "may have letters, digits, spaces and hyphens, and begins and ends with a letter or digit")
        }
        script = try document.requiredString("script", most: Self.largestScript)
        order = try document.integer("order", in: Self.orders) ?? 1
        isEnabled = try document.bool("enabled", default: true)
        _ = try document.oneOf("stage", Stage.self)
        _ = try document.remaining(known: [])
    }

    /// The rule as Auth0 writes it.
    package var document: JSONObject {
        [
            "id": .string(id), "name": .string(name), "script": .string(script), "order": .integer(Int64(order)),
            "enabled": .bool(isEnabled), "stage": .string(Stage.loginSuccess.rawValue),
        ]
    }
}

/// The tenant's rules.
package enum RuleStore {
    /// Every rule, in the order in which they run.
    package static func list(in transaction: any SQLTransaction) throws -> [Rule] {
        try transaction.rows("SELECT * FROM rule ORDER BY run_order").map(Rule.init)
    }

    /// The rule with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> Rule? {
        try transaction.row("SELECT * FROM rule WHERE id = \(id)").map(Rule.init)
    }

    /// Inserts the rule, or replaces the one with its id.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where another one has its name or order.
    package static func save(_ rule: Rule, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO rule (id, name, script, run_order, enabled)
            VALUES (\(rule.id), \(rule.name), \(rule.script), \(rule.order), \(rule.isEnabled))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, script = excluded.script,
                run_order = excluded.run_order, enabled = excluded.enabled
            """)
    }

    /// Moves whichever other rule has the name or the order of the rule with this id out of its way: behind all others,
    /// under a name of its own. For a transaction that changes or removes that one too, later on.
    package static func makeWay(
        for id: String, name: String, order: Int, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE rule SET run_order = (SELECT MAX(run_order) + 1 FROM rule) WHERE run_order = \(order) AND id <> \(id)
            """)
        try transaction.execute(
            "UPDATE rule SET name = name || '-' || REPLACE(id, '_', '-') WHERE name = \(name) AND id <> \(id)")
    }

    /// Removes the rule with this id, where there is one.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM rule WHERE id = \(id)")
    }
}

extension Rule {
    fileprivate init(_ row: SQLRow) throws {
        (id, name, script) = (try row.text("id"), try row.text("name"), try row.text("script"))
        (order, isEnabled) = (try row.integer("run_order"), try row.bool("enabled"))
    }
}
