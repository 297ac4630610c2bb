import Foundation
import NIOPosix

/// PostgreSQL through libpq: a schema for a tenant, a thread for each connection, any number of nodes.
///
/// A transaction that the server has undone for another's sake, or that was lost before it was asked to commit, is run
/// again. One that was lost while it committed is looked for, and run again only if it is not there and never will be.
package final class PostgresDatabase: SQLDatabase {
    private let pool: PostgresPool
    private let threads: NIOThreadPool

    /// How long a caller waits for a connection, how long a body is run again and again, and how long the outcome of a
    /// commit is looked for.
    private static let patience = Duration.seconds(5)

    /// Connects, checks the server, and makes the tenant's schema where there is none.
    /// - Parameter mayCreate: whether the schema may be made.
    /// - Throws: ``SQLError/unavailable(_:)`` that says what to mend.
    package static func open(_ address: PostgresAddress, mayCreate: Bool = true) async throws -> PostgresDatabase {
        let database = PostgresDatabase(address)
        try await database.onThread { database, answer in
            answer(
                Result {
                    let connection = try database.pool.take()
                    try PostgresSession.prepare(connection, address, mayCreate: mayCreate)
                    database.pool.give(connection)
                })
        }
        return database
    }

    private init(_ address: PostgresAddress) {
        pool = PostgresPool(address)
        threads = NIOThreadPool(numberOfThreads: address.connections)
        threads.start()
    }

    deinit { close() }

    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await onThread { database, answer in try database.read(.read, body, answer) }
    }

    package func readOnce<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await onThread { database, answer in try database.read(.statement, body, answer) }
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await onThread { database, answer in answer(.success(try database.write(body))) }
    }

    package func configurationChanges() -> AsyncStream<Void> { PostgresListener.changes(of: pool) }

    package func close() {
        pool.close()
        threads.shutdownGracefully(queue: .global()) { _ in }
    }

    /// Runs `work` on one of the driver's threads. What it does after its answer holds up nobody but the thread.
    private func onThread<T: Sendable>(
        _ work: @escaping @Sendable (PostgresDatabase, (Result<T, any Error>) -> Void) throws -> Void
    ) async throws -> T {
        let asked = ContinuousClock.now
        return try await withCheckedThrowingContinuation { continuation in
            threads.submit { state in
                guard state == .active else { return continuation.resume(throwing: PostgresPool.closed) }
                guard asked.duration(to: .now) < Self.patience else {
                    return continuation.resume(throwing: self.busy)
                }
                do {
                    try work(self) { continuation.resume(with: $0) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    private var busy: SQLError {
        .unavailable(
            "All \(pool.address.connections) connections to PostgreSQL were busy, or being made, for five seconds. Look for slow "
                + "statements there, or raise PORTICO_DATABASE_CONNECTIONS.")
    }

    // MARK: On a thread

    /// - Parameter answer: called once, at the end; what is thrown comes before it.
    private func read<T>(
        _ kind: PostgresTransaction.Kind, _ body: (any SQLTransaction) throws -> T,
        _ answer: (Result<T, any Error>) -> Void
    ) throws {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let connection = try pool.take()
            let transaction = PostgresTransaction(kind, on: connection, address: pool.address)
            let result = Result {
                let value = try body(transaction)
                try transaction.finishReading()
                return value
            }
            guard let failure = transaction.failure else {
                // What was read is one snapshot, whatever becomes of the connection now.
                try? transaction.endReading()
                answer(result)
                return pool.give(connection)
            }
            end(transaction, on: connection, after: failure)
            guard failure.mayBeRunAgain, !failure.isReadOnly, ContinuousClock.now < deadline else {
                throw SQLError(failure)
            }
        }
    }

    private func write<T>(_ body: (any SQLTransaction) throws -> T) throws -> T {
        let deadline = ContinuousClock.now + Self.patience
        var run = 1
        while true {
            let connection = try pool.take()
            let transaction = PostgresTransaction(.write, on: connection, address: pool.address)
            var value: T?
            do {
                let made = try body(transaction)
                value = made
                try transaction.commit()
                pool.give(connection)
                return made
            } catch {
                end(transaction, on: connection, after: transaction.failure)
                guard let failure = transaction.failure else { throw error }
                if failure.endsConnection, transaction.hasAskedToCommit, let value {
                    if try hasCommitted(connection) { return value }
                } else if !failure.mayBeRunAgain {
                    throw (error as? PostgresFailure).map(SQLError.init) ?? error
                }
                guard ContinuousClock.now < deadline else { throw SQLError(failure) }
            }
            // Those who undid each other must not meet again.
            Thread.sleep(forTimeInterval: Double.random(in: 0...0.005) * Double(min(run, 10)))
            run += 1
        }
    }

    private func end(
        _ transaction: PostgresTransaction, on connection: PostgresConnection, after failure: PostgresFailure?
    ) {
        if let failure, failure.isOfConnection { return pool.lose(connection, after: failure) }
        transaction.rollBack()
        pool.give(connection)
    }

    /// Whether the last write of a lost connection took place. From here on it never will, if it has not.
    /// - Throws: ``SQLError/unavailable(_:)`` where nobody can be asked in time.
    private func hasCommitted(_ lost: PostgresConnection) throws(SQLError) -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(SQLError) {
                return try look(for: lost)
            } catch {
                guard ContinuousClock.now < deadline, !pool.isClosed else { throw Self.unknownOutcome(error) }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    private func look(for lost: PostgresConnection) throws(SQLError) -> Bool {
        let connection = try pool.take()
        let begin = PostgresCommand(PostgresTransaction.Kind.write.rawValue)
        do {
            let answer = try connection.trip([begin, CommitMarker.fence(lost.id), PostgresCommand("COMMIT")])[1]
            pool.give(connection)
            return answer.rows.first?.optionalInteger("number") == Int(lost.writes)
        } catch {
            if error.isOfConnection {
                pool.lose(connection, after: error)
            } else {
                _ = try? connection.trip([PostgresCommand("ROLLBACK")])
                pool.give(connection)
            }
            throw SQLError(error)
        }
    }

    private static func unknownOutcome(_ error: SQLError) -> SQLError {
        .unavailable("The connection ended during a commit, and nobody can say yet whether it took place (\(error)).")
    }
}
