import Crypto
import Foundation

/// Moves a tenant from one database to another, table by table in the order of their keys, and proves afterwards that
/// both hold the same. A copy that was interrupted goes on where it stopped.
package struct TenantCopy: Sendable {
    private let source: any SQLDatabase
    private let target: any SQLDatabase
    /// What the source is called: a copy goes on from the same one only.
    private let sourceName: String

    /// Rows in one transaction.
    package static let batch = 500

    package init(from source: any SQLDatabase, named sourceName: String, to target: any SQLDatabase) {
        (self.source, self.sourceName, self.target) = (source, sourceName, target)
    }

    /// Why there is no copy, and what to do.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// How far it has come.
    package struct Progress: Sendable {
        package let table: String
        package let isVerifying: Bool
        /// Rows written and rows compared so far.
        package let done: Int
        /// Twice the rows of the source: each is written, and compared.
        package let total: Int
    }

    /// What was copied and found equal.
    package struct Report: Sendable {
        /// A table that both databases hold.
        package struct Verified: Sendable, Equatable {
            package let table: String
            package let rows: Int
            /// SHA-256 over every value of every row, in hexadecimal digits.
            package let checksum: String
        }

        package let tables: [Verified]
        /// Whether an earlier copy was gone on with.
        package let wasResumed: Bool
    }

    /// Copies what is missing, compares everything, and forgets how far it had come.
    /// - Throws: ``Problem``, or ``SQLError``.
    package func run(_ progress: @Sendable (Progress) -> Void = { _ in }) async throws -> Report {
        let sourceTables = try await source.read { try Migrations.tables(in: $0) }
        guard sourceTables.contains("schema_migration") else {
            throw Problem(description: "There is no tenant in \(sourceName): it has no tables of Portico's.")
        }
        try await Self.requireFinished(in: source)
        try await Migrations.run(on: source)
        try await Migrations.run(on: target)
        let marks = try await CopyMarks.begin(in: target, sourceName: sourceName)
        let rows = try await source.read { transaction in
            try transaction.takeTime()
            return try Table.all.reduce(0) { try $0 + $1.count(in: transaction) }
        }
        var done = 0
        for table in Table.all {
            try await copy(table, after: marks.lastKeys[table.name] ?? []) { count in
                done += count
                progress(Progress(table: table.name, isVerifying: false, done: min(done, rows), total: 2 * rows))
            }
        }
        done = rows
        var verified: [Report.Verified] = []
        for table in Table.all {
            verified.append(
                try await verify(table) { count in
                    done += count
                    progress(Progress(table: table.name, isVerifying: true, done: done, total: 2 * rows))
                })
        }
        try await CopyMarks.forget(in: target)
        return Report(tables: verified, wasResumed: marks.wereThere)
    }

    /// Refuses a database that holds half a tenant.
    /// - Throws: ``Problem``.
    package static func requireFinished(in database: any SQLDatabase) async throws {
        let tables = try await database.read { try Migrations.tables(in: $0) }
        guard tables.contains(CopyMarks.table) else { return }
        throw Problem(
            description:
                "The database holds a copy that was interrupted. Go on with it: give the same 'portico copy' again.")
    }

    private func copy(_ table: Table, after start: [SQLValue], _ progress: (Int) -> Void) async throws {
        var last = start
        while true {
            let key = last
            let rows = try await rows(table, after: key, in: source)
            guard let end = rows.last else { return }
            last = table.key(of: end)
            let mark = last
            do {
                try await target.write { transaction in
                    try transaction.takeTime()
                    for row in rows { try table.write(row, in: transaction) }
                    try CopyMarks.set(mark, of: table, in: transaction)
                }
            } catch SQLError.foreignKeyViolation {
                throw Self.changed(table)
            }
            progress(rows.count)
        }
    }

    private func rows(
        _ table: Table, after key: [SQLValue], in database: any SQLDatabase
    ) async throws -> [[SQLValue]] {
        try await database.read { transaction in
            try transaction.takeTime()
            return try table.rows(after: key, limit: Self.batch, in: transaction)
        }
    }

    private func verify(_ table: Table, _ progress: (Int) -> Void) async throws -> Report.Verified {
        var (last, count, checksum) = ([SQLValue](), 0, SHA256())
        while true {
            let key = last
            async let there = rows(table, after: key, in: target)
            let here = try await rows(table, after: key, in: source)
            guard try await there == here else { throw Self.changed(table) }
            guard let end = here.last else {
                let digest = checksum.finalize().map { String(format: "%02x", $0) }.joined()
                return Report.Verified(table: table.name, rows: count, checksum: digest)
            }
            for row in here { row.forEach { checksum.update($0) } }
            last = table.key(of: end)
            count += here.count
            progress(here.count)
        }
    }

    private static func changed(_ table: Table) -> Problem {
        Problem(
            description:
                "'\(table.name)' is not the same in both: the source has changed during the copy. Stop Portico on "
                + "it, empty the target (a schema: DROP SCHEMA … CASCADE; a file: delete it), and copy again.")
    }
}

extension SHA256 {
    /// Adds a value with its kind and length, so that no two lists of values look the same.
    fileprivate mutating func update(_ value: SQLValue) {
        let (kind, text): (Character, String) =
            switch value {
            case .null: ("n", "")
            case .bool(let value): ("i", value ? "1" : "0")
            case .integer(let value): ("i", String(value))
            case .text(let value): ("t", value)
            }
        update(data: Data("\(kind)\(text.utf8.count):".utf8))
        update(data: Data(text.utf8))
    }
}
