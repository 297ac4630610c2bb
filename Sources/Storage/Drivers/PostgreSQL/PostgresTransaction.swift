import Foundation

/// A transaction on one connection. Statements whose answers nobody needs wait for the next one that has to be answered,
/// and travel with it; `BEGIN` and `COMMIT` never travel alone.
final class PostgresTransaction: SQLTransaction {
    /// The first failure; after it the server has undone everything, whatever the body makes of the error.
    private(set) var failure: PostgresFailure?
    /// Whether the server has been told to commit, so that only looking tells what became of it.
    private(set) var hasAskedToCommit = false

    private let kind: Kind
    private let connection: PostgresConnection
    private let address: PostgresAddress
    private var waiting: [PostgresCommand]
    /// Whether it may take its time.
    private var isPatient = false
    /// Whether anything may have been written: a refusal that has only looked need not wait for the disk.
    private var hasWritten = false
    /// Whether anything was sent.
    private var hasBegun = false

    /// How a transaction begins.
    enum Kind: String {
        /// Not at all: one statement is a transaction of its own, and the session lets it read only.
        case statement = ""
        /// One snapshot for all statements.
        case read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        /// Each statement sees what was committed before it; the stores decide races by single statements and locks.
        case write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    }

    init(_ kind: Kind, on connection: PostgresConnection, address: PostgresAddress) {
        (self.connection, self.address) = (connection, address)
        self.kind = kind
        waiting = kind == .statement ? [] : [PostgresCommand(kind.rawValue)]
    }

    // MARK: SQLTransaction

    func execute(_ sql: SQL) throws {
        hasWritten = true
        waiting.append(try PostgresCommand(sql))
        // A long import must not gather in memory.
        if waiting.count >= 256 { try send() }
    }

    func changes(_ sql: SQL) throws -> Int {
        waiting.append(try PostgresCommand(sql))
        let changes = try send().last?.changes ?? 0
        hasWritten = hasWritten || changes > 0
        return changes
    }

    func rows(_ sql: SQL) throws -> [SQLRow] {
        let command = try PostgresCommand(sql)
        waiting.append(command)
        let rows = try send().last?.rows ?? []
        hasWritten = hasWritten || !rows.isEmpty && !command.text.hasPrefix("SELECT")
        return rows
    }

    func lock(_ rows: SQL) throws {
        // What only refers to the row by its key, as a new row with a foreign key does, need not wait.
        waiting.append(try PostgresCommand(rows).appending(" FOR NO KEY UPDATE"))
    }

    func lock(_ work: ExclusiveWork) throws {
        try takeTime()
        waiting.append(PostgresSession.lock(work, address))
        try send()
    }

    func takeTime() throws {
        isPatient = true
        waiting.append(PostgresSession.unlimited)
    }

    /// A small row finds room in a page that is there already, and its commit in a log whose files are made ahead; a
    /// temporary file, which this is too large to do without, needs new room and leaves nothing behind.
    func requireRoom() throws {
        waiting.append(
            PostgresCommand("SELECT set_config('work_mem', '64kB', true), set_config('temp_tablespaces', '', true)"))
        waiting.append(PostgresCommand("SELECT COUNT(*) FROM generate_series(1, 10000)"))
    }

    func announceConfigurationChange() throws {
        hasWritten = true
        waiting.append(PostgresCommand("SELECT pg_notify($1, '')", [.text(address.channel)]))
    }

    // MARK: The end

    /// Commits what was written and returns once it is durable.
    func commit() throws(PostgresFailure) {
        if let failure { throw failure }
        guard hasWritten else {
            waiting.append(PostgresCommand("COMMIT"))
            if hasBegun { try trip() }
            return
        }
        connection.writes += 1
        waiting.append(CommitMarker.set(connection))
        waiting.append(PostgresCommand("COMMIT"))
        hasAskedToCommit = true
        try trip()
    }

    /// Runs what still waits: in a transaction that reads, a statement that has no business there.
    func finishReading() throws {
        if waiting.count > (hasBegun || kind == .statement ? 0 : 1) { try send() }
    }

    /// Ends a transaction that has only read; nobody waits for the answer.
    func endReading() throws(PostgresFailure) {
        guard hasBegun, failure == nil, kind != .statement else { return }
        try connection.sendAhead([PostgresCommand("COMMIT")])
    }

    /// Undoes everything; a connection that cannot is dropped by the pool.
    func rollBack() {
        guard hasBegun, kind != .statement else { return }
        _ = try? connection.trip([PostgresCommand("ROLLBACK")])
    }

    // MARK: Trips

    @discardableResult private func send() throws -> [PostgresAnswer] {
        guard kind != .statement || !hasBegun else {
            throw SQLError.failed("readOnce has run its one statement already")
        }
        do {
            return try trip()
        } catch {
            throw SQLError(error)
        }
    }

    @discardableResult
    private func trip() throws(PostgresFailure) -> [PostgresAnswer] {
        if let failure { throw failure }
        let commands = waiting
        waiting = []
        hasBegun = true
        do {
            return try connection.trip(commands, patience: isPatient ? .seconds(3600) : nil)
        } catch {
            failure = error
            throw error
        }
    }
}
