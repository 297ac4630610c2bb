/// One step of the schema, forward only. A released step never changes; what is wrong with it the next one mends.
package struct Migration: Sendable {
    /// Counts from 1 without gaps.
    package let number: Int
    package let name: String
    let statements: [SQL]
}

/// Every migration, oldest first.
package enum Migrations {
    package static let all: [Migration] = [
        .initial, .registration, .signingKeyKinds, .requests, .logout, .usedAssertions, .keyThumbprints,
        .deviceCodes,
        .clientMetadataDocuments, .certificateThumbprints, .revokedAuthorizations, .logEvents, .logStreams,
        .linkedUsers, .configurationHistory, .jobs,
        .userTerms, .tenantSections, .organizations, .organizationLogins, .importSecrets,
        .scripts, .mail, .userWords, .organizationConsents, .upstreamLogins, .passwordlessCodes,
        .scriptChanges, .passwordlessLinks, .multiFactor, .externalPasswords, .mfaTokens, .sessionDevices,
    ]

    /// The schema that this binary works with.
    package static var newest: Int { all.last?.number ?? 0 }

    /// Why a database cannot be used.
    package struct TooNew: Error, Sendable, CustomStringConvertible {
        package let found: Int
        package var description: String {
            "The database has schema \(found), and this version of Portico knows schemas up to \(Migrations.newest). "
                + "A newer Portico has used it: start that version again, or restore a backup from before the update."
        }
    }

    /// The database has tables, and none of them says that they are Portico's.
    package struct Foreign: Error, Sendable, CustomStringConvertible {
        package let description =
            "The database belongs to something else: it has tables, and none of Portico's. Give another file or schema."
    }

    /// Brings the schema up to `target` in one transaction: an update that fails half-way leaves the database to the
    /// version that it was made for. Several nodes may do so at once: one works, and the others find the work done.
    /// - Throws: ``TooNew`` where the database is newer than this binary, ``Foreign`` where it is something else's.
    /// - Returns: the migrations that this call ran.
    @discardableResult
    package static func run(on database: any SQLDatabase, upTo target: Int? = nil) async throws -> [Migration] {
        let target = target ?? newest
        // A user without the right to make tables may serve. Any error here comes again below.
        if let found = try? await version(of: database), found == target { return [] }
        return try await database.write { transaction in
            try transaction.lock(.migration)
            let tables = try tables(in: transaction)
            guard tables.isEmpty || tables.contains("schema_migration") else { throw Foreign() }
            try transaction.execute(
                "CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT PRIMARY KEY, name \(.textColumn) NOT NULL)")
            let found = try version(in: transaction)
            guard found <= newest else { throw TooNew(found: found) }
            let due = all.filter { $0.number > found && $0.number <= target }
            for migration in due { try run(migration, in: transaction) }
            return due
        }
    }

    private static func run(_ migration: Migration, in transaction: any SQLTransaction) throws {
        for statement in migration.statements { try transaction.execute(statement) }
        try transaction.execute(
            "INSERT INTO schema_migration (number, name) VALUES (\(migration.number), \(migration.name))")
    }

    /// The names of a database's tables, without a driver's own.
    static func tables(in transaction: any SQLTransaction) throws -> Set<String> {
        let names = try transaction.rows("SELECT name FROM \(.tables)").map { try $0.text("name") }
        return Set(names).subtracting(["commit_marker"])
    }

    /// The schema that a database has; 0 for an empty one.
    package static func version(of database: any SQLDatabase) async throws -> Int {
        try await database.readOnce { try version(in: $0) }
    }

    private static func version(in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT MAX(number) AS newest FROM schema_migration")?.optionalInteger("newest") ?? 0
    }
}
