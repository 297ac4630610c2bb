import Foundation
import Synchronization

/// A worker process, as the pool sees it. A thread of its own talks to it, which may wait for it.
final class Worker: Sendable {
    /// How a run went with this worker.
    enum Outcome: Sendable {
        case finished(ScriptResult)
        /// The worker was gone before the script began, in these words: another one can take the run.
        case notBegun(String)
    }

    /// A run and who waits for its outcome.
    struct Job: Sendable {
        let run: ScriptRun
        let host: any ScriptHost
        let finish: @Sendable (Outcome) -> Void
    }

    /// What the thread is asked for.
    enum Order: Sendable {
        /// - Parameter unsent: what the worker has not been sent of it yet.
        case run(Job, number: UInt64, unsent: ArraySlice<UInt8>)
        case answer(run: UInt64, call: UInt64, ScriptAnswer)
        case leave
    }

    private struct Inbox {
        var orders: [Order] = []
        var isOpen = true
        var isRested = true
        /// Whether the thread has nothing left to send, so that somebody else may.
        var isClear = true
        var runs: UInt64 = 0
        var end = ""
    }

    let report: SandboxReport
    let processID: pid_t
    let bell: Bell
    /// The server's end. The thread closes it, after ``closeSocket()``.
    private let socket: Int32
    private let inbox = Mutex(Inbox())

    init(report: SandboxReport, process: ChildProcess, bell: Bell) {
        (self.report, self.bell) = (report, bell)
        (processID, socket) = (process.id, process.socket)
    }

    /// Whether its process is there, as far as its thread knows.
    var isAlive: Bool { inbox.withLock { $0.isOpen } }

    /// How it ended, where its process is gone.
    var end: String { inbox.withLock { $0.end } }

    /// Whether its next realm is made. One that is not rested takes a run all the same, and its time.
    var isRested: Bool { inbox.withLock { $0.isRested } }

    func run(_ run: ScriptRun, host: any ScriptHost) async -> Outcome {
        await withCheckedContinuation { continuation in
            let job = Job(run: run, host: host) { continuation.resume(returning: $0) }
            if !begin(job) { job.finish(.notBegun(end)) }
        }
    }

    /// Sends the worker its run from here, since whoever waits for it would wait for the thread to wake up as well.
    /// - Returns: whether the thread will see to the rest.
    private func begin(_ job: Job) -> Bool {
        let isOpen = inbox.withLock { inbox in
            guard inbox.isOpen else { return false }
            inbox.runs += 1
            var unsent = ServerMessage.run(inbox.runs, job.run).frame.bytes[...]
            // Within the lock: the thread, which the worker's answer wakes, finds the order.
            if inbox.isClear { unsent.removeFirst(max(0, ChildProcess.send(unsent, to: socket))) }
            inbox.isClear = false
            inbox.orders.append(.run(job, number: inbox.runs, unsent: unsent))
            return true
        }
        if isOpen { bell.ring() }
        return isOpen
    }

    /// Ends it. A run that it is at is lost.
    func stop() { post(.leave) }

    /// - Returns: whether anybody will read it.
    @discardableResult
    func post(_ order: Order) -> Bool {
        let isOpen = inbox.withLock { inbox in
            if inbox.isOpen { inbox.orders.append(order) }
            return inbox.isOpen
        }
        if isOpen { bell.ring() }
        return isOpen
    }

    // MARK: The thread's

    func takeOrders() -> [Order] {
        inbox.withLock { inbox in
            defer { inbox.orders = [] }
            return inbox.orders
        }
    }

    func setRested(_ isRested: Bool) { inbox.withLock { $0.isRested = isRested } }

    /// Lets others send again, after a run.
    func clear() { inbox.withLock { $0.isClear = true } }

    /// Lets nobody else use the socket any more.
    func closeSocket() { inbox.withLock { $0.isClear = false } }

    /// Lets nothing in any more.
    /// - Parameter end: how it ended.
    /// - Returns: what nobody has read.
    func closeInbox(_ end: String) -> [Order] {
        inbox.withLock { inbox in
            defer { inbox = Inbox(isOpen: false, end: end) }
            return inbox.orders
        }
    }
}
