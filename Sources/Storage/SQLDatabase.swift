/// One open transaction. Its body is synchronous: nothing awaits while a row is locked, and the driver is free to commit
/// several bodies at once.
package protocol SQLTransaction {
    /// Runs a statement.
    /// - Returns: the number of rows that it changed.
    @discardableResult func execute(_ sql: SQL) throws -> Int

    /// Runs a statement and returns its rows.
    func rows(_ sql: SQL) throws -> [SQLRow]
}

extension SQLTransaction {
    /// The first row of a statement.
    package func row(_ sql: SQL) throws -> SQLRow? { try rows(sql).first }
}

/// What the stores need of a database. Every driver passes the same exported suite, `StorageSuite`.
package protocol SQLDatabase: Sendable {
    /// Runs `body` on one consistent snapshot.
    /// - Throws: what `body` throws, or ``SQLError``.
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T

    /// Runs `body` and returns once what it wrote is durable. Where `body` throws, nothing of it is written.
    /// - Throws: what `body` throws, or ``SQLError``.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T

    /// Lets go of files and connections; every call after it throws.
    func close() throws
}

/// What a database refuses, in words that both drivers share.
package enum SQLError: Error, Sendable, Equatable {
    /// A row with the same unique value is there already; the constraint or column as the driver names it.
    case uniqueViolation(String)
    /// A row points to nothing, or something still points to a row.
    case foreignKeyViolation
    /// The value of a column is not what the schema promises.
    case unexpectedValue(column: String)
    /// The database cannot be used now: locked for too long, full, read-only or out of reach. The text names the mend.
    case unavailable(String)
    /// Anything else: a defect. The driver's own words, for the log.
    case failed(String)
}
