/// One open transaction. Its body is synchronous: nothing awaits while a row is locked, and the driver is free to commit
/// several bodies at once.
///
/// A body may run more than once, where the database has undone it for another's sake or was lost before it was told to
/// commit; so a body changes nothing but the database.
package protocol SQLTransaction {
    /// Runs a statement whose answer nobody needs. A driver may send it along with the next one, so its error may come
    /// from a later statement, or from the transaction's end; either way nothing of the transaction is kept.
    func execute(_ sql: SQL) throws

    /// Runs a statement.
    /// - Returns: the number of rows that it changed.
    func changes(_ sql: SQL) throws -> Int

    /// Runs a statement and returns its rows.
    func rows(_ sql: SQL) throws -> [SQLRow]

    /// Waits until no other transaction holds `rows`, a `SELECT` without a lock clause, and holds them until this one
    /// ends. What was read before the wait may have changed meanwhile: lock first, then read.
    func lock(_ rows: SQL) throws

    /// Waits until no other transaction, of any node, is at `work`, and keeps the others out until this one ends. Such work
    /// may take its time.
    func lock(_ work: ExclusiveWork) throws

    /// Fails where the disk has no room for more than the little that it may have kept in reserve.
    func requireRoom() throws

    /// Lifts the limits that a request's statements have, for the rest of this transaction.
    func takeTime() throws

    /// Tells every node, once this transaction is committed, that the configuration has changed.
    func announceConfigurationChange() throws
}

/// What one node may do at a time.
package enum ExclusiveWork: Int64, Sendable {
    case migration = 1
    /// Changing the configuration, where the change depends on what there is.
    case configuration = 2
    /// Writing log events, whose ids are in the order of their commits.
    case logEvents = 3
    /// Counting the jobs that wait, to add another one.
    case jobs = 4
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

    /// Runs a `body` of one statement, for which a driver need not begin a transaction.
    /// - Throws: what `body` throws, or ``SQLError``.
    func readOnce<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T

    /// Runs `body` and returns once what it wrote is durable. Where `body` throws, nothing of it is written.
    /// - Throws: what `body` throws, or ``SQLError``.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T

    /// An element for each moment in which another node may have changed the configuration, as far as the database tells;
    /// it may miss some, so whoever must know looks from time to time as well. Ends with ``close()``.
    func configurationChanges() -> AsyncStream<Void>

    /// Lets go of files and connections; every call after it throws.
    func close() throws
}

extension SQLDatabase {
    package func readOnce<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await read(body)
    }
}

/// What a database refuses, in words that both drivers share.
package enum SQLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A row with the same unique value is there already; the constraint or column as the driver names it.
    case uniqueViolation(String)
    /// A row points to nothing, or something still points to a row.
    case foreignKeyViolation
    /// A text that no database can keep or look for: it has a NUL character, or is too long for an index.
    case unstorableText
    /// The value of a column is not what the schema promises.
    case unexpectedValue(column: String)
    /// The database cannot be used now: locked for too long, full, read-only or out of reach. The text names the mend.
    case unavailable(String)
    /// Anything else: a defect. The driver's own words, for the log.
    case failed(String)

    /// For the log, and for whoever typed a command.
    package var description: String {
        switch self {
        case .uniqueViolation(let name): "A row with the same value is there already: \(name)."
        case .foreignKeyViolation: "A row points to nothing, or something still points to it."
        case .unstorableText: "A text has a NUL character or is too long, so that no database can keep it."
        case .unexpectedValue(let column): "The column '\(column)' holds what the schema does not promise."
        case .unavailable(let text): text
        case .failed(let text): "The database has failed: \(text)"
        }
    }
}
