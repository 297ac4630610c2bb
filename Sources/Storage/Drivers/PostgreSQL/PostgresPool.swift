import Foundation
import Synchronization

/// The connections of one node to its tenant's schema: few, kept open, each used by one thread at a time.
final class PostgresPool: Sendable {
    let address: PostgresAddress
    private let state = Mutex(State())

    private struct State {
        /// The one used last is taken first: its statements are prepared, and the others may grow cold.
        var idle: [PostgresConnection] = []
        /// Counts the losses: connections made before the last one are dead too, as a rule.
        var generation = 0
        var isClosed = false
        var outage: Outage?
    }

    /// The server is out of reach. One thread at a time tries again; the others answer at once.
    private struct Outage {
        let error: SQLError
        let since: ContinuousClock.Instant
        var isProbed = false
    }

    /// How long nobody tries after a failure.
    private static let pause = Duration.milliseconds(300)

    init(_ address: PostgresAddress) { self.address = address }

    static let closed = SQLError.unavailable("The database has been closed; the server is stopping.")

    /// An open connection, new or used before.
    /// - Throws: ``SQLError/unavailable(_:)``.
    func take() throws(SQLError) -> PostgresConnection {
        let (found, generation) = try state.withLock { state throws(SQLError) in
            guard !state.isClosed else { throw Self.closed }
            if let connection = state.idle.popLast() { return (connection as PostgresConnection?, state.generation) }
            if let outage = state.outage {
                guard !outage.isProbed, outage.since.duration(to: .now) > Self.pause else { throw outage.error }
                state.outage?.isProbed = true
            }
            return (nil, state.generation)
        }
        if let found { return found }
        return try connect(generation)
    }

    private func connect(_ generation: Int, attempts: Int = 3) throws(SQLError) -> PostgresConnection {
        do {
            let connection = try PostgresConnection(address, generation: generation)
            _ = try connection.trip([PostgresSession.begin(address)])
            state.withLock { $0.outage = nil }
            return connection
        } catch {
            // A server that lets somebody in and ends the session at once is not out of reach for all that.
            if case .lost = error, attempts > 1 { return try connect(generation, attempts: attempts - 1) }
            let error = SQLError(error)
            state.withLock { $0.outage = Outage(error: error, since: .now) }
            throw error
        }
    }

    /// Takes a connection back, unless it has ended or a transaction is left open on it.
    func give(_ connection: PostgresConnection) {
        do { try connection.settle() } catch { return lose(connection) }
        guard connection.isIdle else { return lose(connection) }
        state.withLock { state in
            guard !state.isClosed, connection.generation == state.generation else { return }
            state.idle.append(connection)
        }
    }

    /// Drops a connection that has ended, and those of its age with it.
    func lose(_ connection: PostgresConnection) {
        let dropped = state.withLock { state in
            guard connection.generation == state.generation else { return [PostgresConnection]() }
            state.generation += 1
            defer { state.idle = [] }
            return state.idle
        }
        // Ended here, outside the lock.
        _ = dropped
    }

    func close() {
        let dropped = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        _ = dropped
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
}
