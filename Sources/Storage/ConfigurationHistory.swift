import Foundation
import OAuth

/// An apply of a tenant file, as the history keeps it.
package struct ConfigurationApply: Sendable {
    /// Counts from 1.
    package let id: Int
    package let appliedAt: Date
    /// Who applied it: a user of the machine, or a program.
    package let appliedBy: String
    /// The number of resources that it changed.
    package let changes: Int
    /// The plan as it was shown, without secrets.
    package let summary: String
    /// The rows before and after, sealed, because they hold the digests of secrets.
    package let sealedRows: String
    package let rolledBackAt: Date?

    /// - Parameter id: 0 for one that is not stored yet.
    package init(at appliedAt: Date, by appliedBy: String, changes: Int, summary: String, sealedRows: String) {
        (id, self.appliedAt, self.appliedBy, self.changes) = (0, appliedAt, appliedBy, changes)
        (self.summary, self.sealedRows, rolledBackAt) = (summary, sealedRows, nil)
    }

    fileprivate init(_ row: SQLRow) throws {
        id = try row.integer("id")
        appliedAt = try row.date("applied_at")
        appliedBy = try row.text("applied_by")
        changes = try row.integer("changes")
        summary = try row.text("summary")
        sealedRows = try row.text("sealed_rows")
        rolledBackAt = row.optionalDate("rolled_back_at")
    }
}

/// The last applies, which can be taken back one after the other.
package struct ConfigurationHistoryStore: Sendable {
    let database: any SQLDatabase

    /// Older applies are forgotten.
    package static let most = 50

    /// The applies, the newest first.
    package func list() async throws -> [ConfigurationApply] {
        try await database.readOnce { transaction in
            try transaction.rows("SELECT * FROM configuration_apply ORDER BY id DESC").map(ConfigurationApply.init)
        }
    }

    /// The newest apply that has not been taken back; nil where there is none.
    package static func last(in transaction: any SQLTransaction) throws -> ConfigurationApply? {
        try transaction.row(
            "SELECT * FROM configuration_apply WHERE rolled_back_at IS NULL ORDER BY id DESC LIMIT 1"
        ).map(ConfigurationApply.init)
    }

    /// Adds an apply, and forgets the oldest beyond ``most``. The caller holds the configuration's lock.
    package static func append(_ apply: ConfigurationApply, in transaction: any SQLTransaction) throws {
        let newest =
            try transaction.row("SELECT MAX(id) AS newest FROM configuration_apply")?.optionalInteger("newest") ?? 0
        try transaction.execute(
            """
            INSERT INTO configuration_apply (id, applied_at, applied_by, changes, summary, sealed_rows)
            VALUES (\(newest + 1), \(apply.appliedAt), \(apply.appliedBy), \(apply.changes), \(apply.summary),
                \(apply.sealedRows))
            """)
        try transaction.execute("DELETE FROM configuration_apply WHERE id <= \(newest + 1 - most)")
    }

    /// Notes that an apply has been taken back.
    package static func markRolledBack(_ id: Int, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE configuration_apply SET rolled_back_at = \(now) WHERE id = \(id)")
    }
}
