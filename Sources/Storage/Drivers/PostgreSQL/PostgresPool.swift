import Foundation
import Synchronization

/// The connections of one node to its tenant's schema: few, kept open, each used by one thread at a time.
final class PostgresPool: Sendable {
    let address: PostgresAddress
    private let state = Mutex(State())

    private struct State {
        /// The one used last is taken first: its statements are prepared, and the others may grow cold.
        var idle: [PostgresConnection] = []
        /// Those that a thread has.
        var inUse = 0
        /// Counts the losses: connections made before the last one are dead too, as a rule.
        var generation = 0
        var isClosed = false
        var outage: Outage?
    }

    /// No connection could be made. One thread at a time tries again; the others answer at once.
    private struct Outage {
        let error: SQLError
        /// Whether the server is there but has none left; one of ours may be free soon.
        let isFull: Bool
        let since: ContinuousClock.Instant
        var isProbed = false
    }

    /// What a thread that wants a connection does.
    private enum Step {
        case use(PostgresConnection)
        case connect(generation: Int)
        case wait(SQLError)
    }

    /// How long nobody tries after a failure.
    private static let pause = Duration.milliseconds(300)
    /// How long a thread waits for a connection of ours where the server has no more.
    private static let patience = Duration.seconds(5)

    init(_ address: PostgresAddress) { self.address = address }

    static let closed = SQLError.unavailable("The database has been closed; the server is stopping.")

    /// An open connection, new or used before.
    /// - Throws: ``SQLError/unavailable(_:)``.
    func take() throws(SQLError) -> PostgresConnection {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            switch try nextStep() {
            case .use(let connection): return connection
            case .connect(let generation):
                do throws(SQLError) {
                    return try connect(generation)
                } catch {
                    state.withLock { $0.inUse -= 1 }
                    guard state.withLock({ $0.outage?.isFull == true }) else { throw error }
                }
            case .wait(let error):
                guard ContinuousClock.now < deadline else { throw error }
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
    }

    private func nextStep() throws(SQLError) -> Step {
        try state.withLock { state throws(SQLError) in
            guard !state.isClosed else { throw Self.closed }
            if let connection = state.idle.popLast() {
                state.inUse += 1
                return .use(connection)
            }
            if let outage = state.outage {
                guard !outage.isProbed, outage.since.duration(to: .now) > Self.pause else {
                    guard outage.isFull, state.inUse > 0 else { throw outage.error }
                    return .wait(outage.error)
                }
                state.outage?.isProbed = true
            }
            state.inUse += 1
            return .connect(generation: state.generation)
        }
    }

    private func connect(_ generation: Int, attempts: Int = 3) throws(SQLError) -> PostgresConnection {
        do {
            let connection = try PostgresConnection(address, generation: generation)
            _ = try connection.trip([PostgresSession.begin(address)])
            _ = try? connection.trip([PostgresSession.noticesLoss])
            state.withLock { $0.outage = nil }
            return connection
        } catch {
            // A server that lets somebody in and ends the session at once is not out of reach for all that.
            if case .lost = error, attempts > 1 { return try connect(generation, attempts: attempts - 1) }
            let outage = Outage(error: SQLError(error), isFull: error.isForWantOfConnections, since: .now)
            state.withLock { $0.outage = outage }
            throw outage.error
        }
    }

    /// Takes a connection back, unless it has ended or a transaction is left open on it.
    func give(_ connection: PostgresConnection) {
        do { try connection.settle() } catch { return lose(connection, after: error) }
        guard connection.isIdle else { return lose(connection, after: .silent) }
        state.withLock { state in
            state.inUse -= 1
            guard !state.isClosed, connection.generation == state.generation else { return }
            state.idle.append(connection)
        }
    }

    /// Drops a connection that is of no more use; and those of its age with it, unless only this one has fallen silent.
    func lose(_ connection: PostgresConnection, after failure: PostgresFailure) {
        connection.hangUp()
        let dropped = state.withLock { state in
            state.inUse -= 1
            if case .silent = failure { return [PostgresConnection]() }
            guard connection.generation == state.generation else { return [] }
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
