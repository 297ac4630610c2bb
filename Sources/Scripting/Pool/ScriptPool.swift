import Foundation

/// Worker processes that run scripts. None is started before the first script, and all are ended when none has run for a while.
package actor ScriptPool: ScriptEngine {
    private struct Member {
        let worker: Worker
        var runs = 0
    }

    /// Why there is no worker for a run.
    private enum Refusal: Error {
        /// None can be had.
        case unavailable(String)
        /// All are taken.
        case busy(String)

        var end: ScriptResult.End {
            switch self {
            case .unavailable(let reason): .unavailable(reason)
            case .busy(let reason): .busy(reason)
            }
        }
    }

    private typealias Waiter = CheckedContinuation<Result<Member, Refusal>, Never>

    /// Starts that have come to nothing, one after the other.
    private struct Failure {
        var count = 0
        var pauses = 0
        var reason = ""
        /// When it is tried again; nil where it is at once.
        var until: ContinuousClock.Instant?
    }

    package nonisolated let limits: ScriptLimits
    package nonisolated let modules: ModuleFolder
    private let settings: Settings
    /// The one used last is taken first.
    private var idle: [Member] = []
    /// Those that run a script, and whose shares they are.
    private var working: [ObjectIdentifier: (worker: Worker, share: String)] = [:]
    private var starting = 0
    private var queue = RunQueue<Waiter>()
    private var failure = Failure()
    private var lastRun = ContinuousClock.now
    private var lastShare = 0
    private var sweeper: Task<Void, Never>?
    private var isClosed = false

    /// Workers that end in turn before anybody has given them a run, until nobody believes in chance any more.
    private static let mostUnused = 3
    private static let (shortestPause, longestPause) = (Duration.milliseconds(100), Duration.seconds(60))

    package init(_ settings: Settings) {
        self.settings = settings
        (limits, modules) = (settings.limits, settings.modules)
    }

    package func run(_ run: ScriptRun, host: any ScriptHost) async -> ScriptResult {
        let run = run.limited(to: settings.limits)
        lastShare += 1
        let share = run.share ?? "run \(lastShare)"
        var reason = ""
        for _ in 0..<Self.mostUnused {
            switch await take(share) {
            case .failure(let refusal): return ScriptResult(end: refusal.end)
            case .success(let member):
                let outcome = await member.worker.run(run, host: host)
                give(member, outcome)
                switch outcome {
                case .finished(let result): return result
                case .notBegun(let why): reason = why
                }
            }
        }
        return ScriptResult(end: .unavailable("Three workers in turn have ended before the script began: \(reason)"))
    }

    /// Ends the workers, those that run a script when it is done; what comes later is `unavailable`.
    package func shutdown() {
        isClosed = true
        sweeper?.cancel()
        for member in idle { member.worker.stop() }
        idle = []
        refuseAll(Self.closed)
    }

    /// Starts a worker only to see whether that is possible.
    /// - Returns: what its sandbox is made of, or why there is none.
    package func check() async -> Result<SandboxReport, ScriptsUnavailable> {
        switch await WorkerThread.start(settings) {
        case .success(let worker):
            worker.stop()
            return .success(worker.report)
        case .failure(let failure): return .failure(ScriptsUnavailable(reason: failure.reason))
        }
    }

    /// The numbers of the workers' processes.
    package var processes: [Int32] { idle.map(\.worker.processID) + working.values.map(\.worker.processID) }

    /// Runs that wait for a worker.
    package var waiting: Int { queue.count }

    // MARK: Who gets a worker

    private var busy: Int { working.count }

    private static let closed = "The server is stopping"

    private static let mendBusy = "Look for slow scripts in the log, or raise PORTICO_SCRIPT_WORKERS."

    private func take(_ share: String) async -> Result<Member, Refusal> {
        guard !isClosed else { return .failure(.unavailable(Self.closed)) }
        lastRun = .now
        if queue.count == 0, hasPlace(share), let member = popIdle() {
            begin(member, share)
            pump()
            return .success(member)
        }
        if isPausing, busy == 0, starting == 0 { return .failure(.unavailable(failure.reason)) }
        if let refusal = makeRoom(for: share) { return .failure(refusal) }
        let number = queue.nextNumber
        let expiry = Task { [patience = settings.patience] in
            try await Task.sleep(for: patience)
            expire(number)
        }
        defer { expiry.cancel() }
        return await withCheckedContinuation { continuation in
            queue.append(continuation, share: share)
            pump()
        }
    }

    /// Whether one more run of a share may begin.
    private func hasPlace(_ share: String) -> Bool {
        busy < settings.size && working.values.count { $0.share == share } < settings.placesOfShare
    }

    private func begin(_ member: Member, _ share: String) {
        working[ObjectIdentifier(member.worker)] = (member.worker, share)
    }

    /// - Returns: why there is none in the queue.
    private func makeRoom(for share: String) -> Refusal? {
        let own = queue.count(of: share)
        // With no queue at all there is none for a share either.
        if own > 0, own >= settings.mostWaitingOfShare {
            return .busy(
                "\(own) scripts of the same user or application wait for one of \(settings.size) workers already. "
                    + Self.mendBusy)
        }
        guard queue.count >= settings.mostWaiting else { return nil }
        let refusal = Refusal.busy(
            "\(queue.count) scripts wait for one of \(settings.size) workers already. " + Self.mendBusy)
        // Who has little waiting is not kept out by who has much.
        guard let last = queue.removeLast(ofSharesLongerThan: own + 1) else { return refusal }
        last.resume(returning: .failure(refusal))
        return nil
    }

    private func give(_ member: Member, _ outcome: Worker.Outcome) {
        var member = member
        working[ObjectIdentifier(member.worker)] = nil
        lastRun = .now
        switch outcome {
        case .finished:
            member.runs += 1
            failure = Failure()
        case .notBegun(let reason): if member.runs == 0 { noteUnused(reason) }
        }
        if isClosed || member.runs >= settings.runsOfWorker {
            member.worker.stop()
        } else if member.worker.isAlive {
            idle.append(member)
        }
        pump()
    }

    private func popIdle() -> Member? {
        let gone = idle.filter { !$0.worker.isAlive }
        idle.removeAll { !$0.worker.isAlive }
        for member in gone where member.runs == 0 { noteUnused(member.worker.end) }
        return idle.lastIndex { $0.worker.isRested }.map { idle.remove(at: $0) } ?? idle.popLast()
    }

    /// Gives workers to those who wait, and has as many started as are wanted: one that stands by among them.
    private func pump() {
        guard !isClosed else { return }
        while queue.hasNext(where: hasPlace), let member = popIdle() {
            guard let (share, waiter) = queue.next(where: hasPlace) else {
                idle.append(member)
                break
            }
            begin(member, share)
            waiter.resume(returning: .success(member))
        }
        if isPausing { return }
        // Nobody stands by where it is not known whether anybody can.
        let wanted = min(queue.count, settings.size - busy) + (failure.count == 0 ? 1 : 0)
        while idle.count + starting < wanted, busy + idle.count + starting <= settings.size { startOne() }
    }

    private func startOne() {
        starting += 1
        if sweeper == nil { sweeper = Task { [settings] in await sweep(every: settings.idleTime / 4) } }
        Task { started(await WorkerThread.start(settings)) }
    }

    private func started(_ result: Result<Worker, WorkerThread.Unavailable>) {
        starting -= 1
        switch result {
        case .success(let worker):
            if isClosed { worker.stop() } else { idle.append(Member(worker: worker)) }
        case .failure(let unavailable): noteFailure(unavailable.reason, isSure: true)
        }
        pump()
    }

    // MARK: What goes wrong

    private var isPausing: Bool { failure.until.map { $0 > .now } ?? false }

    /// A worker has greeted, and was gone before it was given a run. Once, somebody may have ended it.
    private func noteUnused(_ end: String) {
        noteFailure(
            "The worker has ended before it was given a script: \(end)", isSure: failure.count + 1 >= Self.mostUnused)
    }

    /// - Parameter isSure: whether the next one would do no better now.
    private func noteFailure(_ reason: String, isSure: Bool) {
        failure.count += 1
        failure.reason = reason
        guard isSure else { return }
        let pause = max(settings.pause, Self.shortestPause) * (1 << min(failure.pauses, 10))
        failure.pauses += 1
        failure.until = .now + min(pause, max(settings.pause, Self.longestPause))
        // Those who wait may still get a worker that is busy now.
        if busy == 0, starting == 0, idle.isEmpty { refuseAll(reason) }
    }

    private func refuseAll(_ reason: String) {
        for waiter in queue.removeAll() { waiter.resume(returning: .failure(.unavailable(reason))) }
    }

    private func expire(_ number: Int) {
        guard let waiter = queue.remove(number) else { return }
        waiter.resume(
            returning: .failure(
                failure.until != nil
                    ? .unavailable(failure.reason)
                    : .busy(
                        "For \(settings.patience) all \(settings.size) workers were busy, or those for one user. "
                            + Self.mendBusy)))
    }

    /// Ends what has had nothing to do for a while.
    private func sweep(every interval: Duration) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            guard busy == 0, starting == 0, lastRun.duration(to: .now) > settings.idleTime else { continue }
            for member in idle { member.worker.stop() }
            idle = []
            sweeper = nil
            return
        }
    }
}

/// Scripts cannot run here: why, and how to mend it.
package struct ScriptsUnavailable: Error, CustomStringConvertible {
    package let reason: String

    package var description: String { reason }
}

extension ScriptRun {
    /// The same run with no more than these limits.
    fileprivate func limited(to most: ScriptLimits) -> ScriptRun {
        ScriptRun(
            kind: kind, name: name, source: source, entry: entry, input: input, modules: modules,
            limits: ScriptLimits(
                cpu: min(limits.cpu, most.cpu), wall: min(limits.wall, most.wall, ScriptLimits.longest),
                memory: min(limits.memory, most.memory), output: min(limits.output, most.output),
                log: min(limits.log, most.log)),
            share: share)
    }
}
