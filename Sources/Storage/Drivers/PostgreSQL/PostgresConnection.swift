import CLibPQ
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One connection of libpq's, driven in pipeline mode: a trip to the server carries any number of statements.
///
/// It belongs to one thread at a time, which blocks while it waits; so it lives on the driver's own threads alone.
///
/// `@unchecked Sendable`, for it may be handed over though never shared: the pool takes a connection out of its list, under a lock, before a thread
/// uses it, and puts it back when that thread has done with it; a listener's never leaves its thread.
final class PostgresConnection: @unchecked Sendable {
    /// The connection's name in ``CommitMarker``'s table.
    let id = UUID().uuidString.lowercased()
    /// The number of the last write that was asked to commit here.
    var writes: Int64 = 0
    /// Which of the pool's generations it was made in.
    let generation: Int

    private let handle: OpaquePointer
    private let statementTimeout: Duration
    /// The statements that the server has parsed, by their text.
    private var prepared: [String: PreparedStatement] = [:]
    private var names = 0
    /// The answers that a trip which nobody waited for left behind.
    private var owed: [Sent] = []

    /// A statement that the server knows by name.
    private final class PreparedStatement {
        let name: String
        /// Known from the first answer on.
        var columns: PostgresColumns?

        init(name: String) { self.name = name }
    }

    /// A statement that is on its way.
    private struct Sent {
        let text: String
        let statement: PreparedStatement
        /// Whether this trip also asks the server to parse it.
        let isFirst: Bool
    }

    /// Connects, which may take as long as the address says (`connect_timeout`).
    /// - Throws: ``PostgresFailure/unreachable(_:)``.
    init(_ address: PostgresAddress, generation: Int) throws(PostgresFailure) {
        self.generation = generation
        statementTimeout = address.statementTimeout
        handle = try Self.open(address)
    }

    /// Apart from the initializer, which would end the connection once more where it throws.
    private static func open(_ address: PostgresAddress) throws(PostgresFailure) -> OpaquePointer {
        guard let handle = address.connect() else { throw .unreachable("libpq has no memory for a connection") }
        guard PQstatus(handle) == CONNECTION_OK, PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1
        else {
            defer { PQfinish(handle) }
            throw .unreachable(message(of: handle))
        }
        // Notices are for people at a terminal.
        _ = PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return handle
    }

    deinit { PQfinish(handle) }

    /// Hangs up, so that the server undoes what is open and frees its locks even before the object goes.
    func hangUp() { shutdown(PQsocket(handle), Int32(SHUT_RDWR)) }

    /// Whether it may be used for another transaction: the connection stands and no transaction is left open.
    var isIdle: Bool { PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// The server's version as one number, `150018` for 15.18.
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    // MARK: Trips

    /// Sends the commands together and waits for all their answers.
    /// - Parameter patience: how long; nil for the time that the server gives to such statements.
    /// - Throws: the failure of the first that failed; those after it have not run.
    func trip(
        _ commands: [PostgresCommand], patience: Duration? = nil
    ) throws(PostgresFailure) -> [PostgresAnswer] {
        let deadline = ContinuousClock.now + (patience ?? standardPatience(commands.count))
        try collectOwed(deadline)
        return try collect(send(commands, deadline), deadline)
    }

    /// Sends the commands and leaves their answers for ``settle()`` or the next trip.
    func sendAhead(_ commands: [PostgresCommand]) throws(PostgresFailure) {
        let deadline = ContinuousClock.now + standardPatience(commands.count)
        try collectOwed(deadline)
        owed = try send(commands, deadline)
    }

    /// Waits for what ``sendAhead(_:)`` has left.
    func settle() throws(PostgresFailure) { try collectOwed(ContinuousClock.now + standardPatience(1)) }

    /// Longer than the server's own limits, so that the server speaks first; each statement may wait for a lock.
    private func standardPatience(_ statements: Int) -> Duration {
        statementTimeout * min(statements, 3) + .seconds(2)
    }

    private func collectOwed(_ deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        guard !owed.isEmpty else { return }
        let sent = owed
        owed = []
        _ = try collect(sent, deadline)
    }

    private func send(
        _ commands: [PostgresCommand], _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> [Sent] {
        var sent: [Sent] = []
        sent.reserveCapacity(commands.count)
        for command in commands {
            let known = prepared[command.text]
            let statement = known ?? PreparedStatement(name: "s\(names)")
            if known == nil {
                names += 1
                try check(PQsendPrepare(handle, statement.name, command.text, 0, nil))
                prepared[command.text] = statement
            }
            try check(
                command.withParameters {
                    PQsendQueryPrepared(handle, statement.name, $0.count, $0.values, $0.lengths, $0.formats, 0)
                })
            sent.append(Sent(text: command.text, statement: statement, isFirst: known == nil))
        }
        try check(PQpipelineSync(handle))
        try flush(deadline)
        return sent
    }

    private func flush(_ deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try wait(until: deadline, toWrite: true)
                // The server may be waiting for its answers to be read before it reads on.
                try check(PQconsumeInput(handle))
            default: throw lost()
            }
        }
    }

    private func collect(_ sent: [Sent], _ deadline: ContinuousClock.Instant) throws(PostgresFailure)
        -> [PostgresAnswer]
    {
        var answers: [PostgresAnswer] = []
        var failure: PostgresFailure?
        answers.reserveCapacity(sent.count)
        for command in sent {
            do {
                if command.isFirst { _ = try answer(to: nil, deadline) }
            } catch {
                // The server does not know the statement now; the next use asks it again.
                prepared[command.text] = nil
                failure = try first(failure, error)
            }
            do {
                answers.append(try answer(to: command.statement, deadline))
            } catch {
                failure = try first(failure, error)
            }
        }
        try endOfTrip(deadline)
        if let failure { throw failure }
        return answers
    }

    /// The failure that a trip is remembered for; the end of the connection ends the trip as well.
    private func first(
        _ failure: PostgresFailure?, _ next: PostgresFailure
    ) throws(PostgresFailure) -> PostgresFailure? {
        if next.endsConnection { throw next }
        if case .skipped = next { return failure }
        return failure ?? next
    }

    /// The answer to the next statement of a trip.
    private func answer(
        to statement: PreparedStatement?, _ deadline: ContinuousClock.Instant
    ) throws(PostgresFailure) -> PostgresAnswer {
        guard let result = try nextResult(deadline) else { throw lost() }
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
            let columns = statement?.columns ?? PostgresColumns(result)
            statement?.columns = columns
            let answer = PostgresAnswer(result, columns)
            try endOfStatement(deadline)
            return answer
        case PGRES_PIPELINE_ABORTED:
            try endOfStatement(deadline)
            throw .skipped
        default:
            let failure = PostgresFailure(result, isConnected: PQstatus(handle) == CONNECTION_OK)
            if failure.endsConnection { throw failure }
            try endOfStatement(deadline)
            throw failure
        }
    }

    /// libpq ends each statement's results with none.
    private func endOfStatement(_ deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        while let more = try nextResult(deadline) { PQclear(more) }
    }

    private func endOfTrip(_ deadline: ContinuousClock.Instant) throws(PostgresFailure) {
        guard let result = try nextResult(deadline) else { throw lost() }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw lost() }
    }

    private func nextResult(_ deadline: ContinuousClock.Instant) throws(PostgresFailure) -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            try wait(until: deadline, toWrite: false)
            // A message that says why the server ends the connection may be there to be read first.
            if PQconsumeInput(handle) == 0, PQisBusy(handle) == 1 { throw lost() }
        }
        return PQgetResult(handle)
    }

    // MARK: Waiting

    /// Waits for something to read, and for room to write if asked to.
    private func wait(until deadline: ContinuousClock.Instant, toWrite: Bool) throws(PostgresFailure) {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { throw .silent }
        // Not for long at a time: what TLS has read already the socket does not show.
        _ = Self.poll(PQsocket(handle), toWrite: toWrite, for: min(left, .milliseconds(250)))
    }

    /// - Returns: whether the socket was ready in time.
    private static func poll(_ socket: Int32, toWrite: Bool, for time: Duration) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN | (toWrite ? POLLOUT : 0)), revents: 0)
        let milliseconds = time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000 + 1
        #if canImport(Glibc)
            return Glibc.poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0
        #else
            return Darwin.poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0
        #endif
    }

    /// Waits for notifications (`LISTEN`).
    /// - Returns: whether one came within `time`.
    func waitForNotification(for time: Duration) throws(PostgresFailure) -> Bool {
        if !takeNotifications() {
            _ = Self.poll(PQsocket(handle), toWrite: false, for: time)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
            return takeNotifications()
        }
        return true
    }

    private func takeNotifications() -> Bool {
        var found = false
        while let notification = PQnotifies(handle) {
            PQfreemem(notification)
            found = true
        }
        return found
    }

    // MARK: Failures

    private func check(_ success: Int32) throws(PostgresFailure) {
        guard success == 1 else { throw lost() }
    }

    private func lost() -> PostgresFailure { .lost(Self.message(of: handle)) }

    private static func message(of handle: OpaquePointer) -> String {
        PQerrorMessage(handle).map { String(cString: $0).trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
    }
}
