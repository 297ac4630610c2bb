import Foundation

/// One run as the server sees it: what its worker has said of it so far.
final class RunCourse {
    /// What a message means for the run.
    enum Step {
        case goesOn
        /// `require` waits for a module, with these arguments.
        case wantsModule(call: UInt64, String)
        case ended(ScriptResult)
        /// The worker ends with it.
        case endedWithWorker(ScriptResult)
    }

    /// Calls that may be open at once; a worker that is whole asks no more.
    private static let mostCalls = 64

    let job: Worker.Job
    let deadline: ContinuousClock.Instant
    private let number: UInt64
    private let worker: Worker
    private let start = ContinuousClock.now
    private var hasBegun = false
    private var effects: [ScriptEffect] = []
    private var logs: [ScriptLog] = []
    private var bytes = 0
    private var calls: [UInt64: Task<Void, Never>] = [:]

    init(number: UInt64, job: Worker.Job, grace: Duration, worker: Worker) {
        (self.number, self.job, self.worker) = (number, job, worker)
        deadline = start + job.run.limits.wall + grace
    }

    /// Bytes that the run's frames may have together. A worker that is whole counts what is in them, and ends sooner.
    var most: Int {
        let limits = job.run.limits
        return 2 * (limits.output + limits.log) + 1 << 16
    }

    /// - Parameter count: bytes of the message's frame.
    func take(_ message: WorkerMessage, count: Int) -> Step {
        bytes += count
        guard bytes <= most else { return .endedWithWorker(result(.exceeded(.output))) }
        switch message {
        case .begun(number): hasBegun = true
        case .effect(number, let effect):
            effects.append(effect)
        case .log(number, let log):
            logs.append(log)
        case .call(number, let id, let call) where call.name == ModuleFolder.call:
            return .wantsModule(call: id, call.arguments)
        case .call(number, let id, let call):
            guard calls.count < Self.mostCalls, calls[id] == nil else {
                return .endedWithWorker(result(.exceeded(.output)))
            }
            ask(id, call)
        case .ended(number, let end, let usage): return .ended(result(end, usage))
        case .exceeded(number, let limit, let usage): return .endedWithWorker(result(.exceeded(limit), usage))
        // A run may begin before the worker has rested from the last one.
        case .rested: break
        // Nothing that a worker says is late: what belongs to another run comes from one that has been broken into.
        case .ready, .unavailable, .begun, .effect, .log, .call, .ended, .exceeded:
            return .endedWithWorker(result(.crashed("The worker says what does not belong to the run")))
        }
        return .goesOn
    }

    private func ask(_ id: UInt64, _ call: ScriptCall) {
        calls[id] = Task { [host = job.host, worker, number] in
            let answer = await host.answer(call)
            worker.post(.answer(run: number, call: id, answer))
        }
    }

    /// Whether the answer to this call is waited for.
    func answered(_ id: UInt64) -> Bool { calls.removeValue(forKey: id) != nil }

    func cancelCalls() {
        for call in calls.values { call.cancel() }
        calls = [:]
    }

    /// The worker has not ended it in time.
    func overdue() -> Worker.Outcome { .finished(result(.exceeded(.wall))) }

    /// The worker is gone.
    func lost(_ reason: String) -> Worker.Outcome {
        hasBegun
            ? .finished(result(.crashed("The worker has ended while the script ran: \(reason)")))
            : .notBegun(reason)
    }

    private func result(_ end: ScriptResult.End, _ usage: ScriptUsage? = nil) -> ScriptResult {
        ScriptResult(
            end: end, effects: effects, logs: logs,
            usage: usage ?? ScriptUsage(wall: start.duration(to: .now)))
    }
}
