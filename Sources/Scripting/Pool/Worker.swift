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
        case run(Job)
        case answer(run: UInt64, call: UInt64, ScriptAnswer)
        case leave
    }

    private struct Inbox {
        var orders: [Order] = []
        var isOpen = true
        var isRested = true
        var end = ""
    }

    let report: SandboxReport
    let processID: pid_t
    let bell: Bell
    private let inbox = Mutex(Inbox())

    init(report: SandboxReport, processID: pid_t, bell: Bell) {
        (self.report, self.processID, self.bell) = (report, processID, bell)
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
            if !post(.run(job)) { job.finish(.notBegun("it had ended")) }
        }
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
