import Foundation

/// Worker processes that run scripts. None is started before the first script, and all are ended when none has run for a while.
package actor ScriptPool: ScriptEngine {
    /// How workers are started, and what they get.
    package struct Settings: Sendable {
        /// The program and its arguments.
        package var command: [String]
        /// The workers' environment, which has nothing of the server's.
        package var environment: [String: String]
        /// Scripts that run at once. One worker more stands by for one that is ended.
        package var size: Int
        /// What a script may use at most.
        package var limits: ScriptLimits
        /// Where `require` finds packages beside Portico's own modules.
        package var modules = ModuleFolder([])
        /// Runs after which a process is replaced.
        package var runsOfWorker = 100
        /// How long a start may take.
        package var startTime = Duration.seconds(20)
        /// How long workers are kept that nobody needs.
        package var idleTime = Duration.seconds(300)
        /// Runs that wait for their turn at most; one more is refused at once.
        package var mostWaiting = 256
        /// How long a run waits for its turn.
        package var patience: Duration
        /// How long nobody tries to start one after that has failed.
        package var pause = Duration.seconds(2)

        package init(command: [String], size: Int = 2, limits: ScriptLimits = .standard) {
            (self.command, self.size, self.limits, patience) = (command, size, limits, limits.wall)
            environment = [
                "TZ": "UTC", "LC_ALL": "C.UTF-8",
                // The engine would reserve some 70 GB of addresses, of which a worker has few.
                "GIGACAGE_ENABLED": "0",
                // The sandbox has no place for a debugger.
                "SWIFT_BACKTRACE": "enable=no",
                // Where the library takes no options, it takes these.
                "JSC_useJIT": "0", "JSC_useWasm": "0",
            ]
        }
    }

    private struct Member {
        let worker: Worker
        var runs = 0
    }

    private struct Waiter {
        let id: Int
        let continuation: CheckedContinuation<Result<Member, WorkerThread.Unavailable>, Never>
    }

    package nonisolated let limits: ScriptLimits
    package nonisolated let modules: ModuleFolder
    private let settings: Settings
    /// The one used last is taken first.
    private var idle: [Member] = []
    /// Those that run a script, by their processes.
    private var working: [Int32: Worker] = [:]
    private var starting = 0
    private var waiters: [Waiter] = []
    private var lastWaiter = 0
    private var failure: (reason: String, until: ContinuousClock.Instant)?
    private var lastRun = ContinuousClock.now
    private var sweeper: Task<Void, Never>?
    private var isClosed = false

    package init(_ settings: Settings) {
        self.settings = settings
        (limits, modules) = (settings.limits, settings.modules)
    }

    package func run(_ run: ScriptRun, host: any ScriptHost) async -> ScriptResult {
        let run = run.limited(to: settings.limits)
        var reason = ""
        for _ in 0..<3 {
            switch await take() {
            case .failure(let failure): return ScriptResult(end: .unavailable(failure.reason))
            case .success(var member):
                member.runs += 1
                let outcome = await member.worker.run(run, host: ModulesAndHost(modules: settings.modules, host: host))
                give(member)
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
        failWaiters(Self.closed)
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
    package var processes: [Int32] { idle.map(\.worker.processID) + working.keys }

    // MARK: Who gets a worker

    private var busy: Int { working.count }

    private static let closed = WorkerThread.Unavailable(reason: "The server is stopping")

    private static let mendBusy = "Look for slow scripts in the log, or raise PORTICO_SCRIPT_WORKERS."

    private func take() async -> Result<Member, WorkerThread.Unavailable> {
        guard !isClosed else { return .failure(Self.closed) }
        lastRun = .now
        if waiters.isEmpty, busy < settings.size, let member = popIdle() {
            working[member.worker.processID] = member.worker
            pump()
            return .success(member)
        }
        if let failure, failure.until > .now, busy == 0, starting == 0 {
            return .failure(WorkerThread.Unavailable(reason: failure.reason))
        }
        guard waiters.count < settings.mostWaiting else {
            return .failure(
                WorkerThread.Unavailable(
                    reason: "\(waiters.count) scripts wait for one of \(settings.size) workers already. "
                        + Self.mendBusy))
        }
        lastWaiter += 1
        let id = lastWaiter
        let expiry = Task { [size = settings.size, patience = settings.patience] in
            try await Task.sleep(for: patience)
            expire(
                id,
                "All \(size) workers were busy for \(patience). " + Self.mendBusy)
        }
        defer { expiry.cancel() }
        return await withCheckedContinuation { continuation in
            waiters.append(Waiter(id: id, continuation: continuation))
            pump()
        }
    }

    private func give(_ member: Member) {
        working[member.worker.processID] = nil
        lastRun = .now
        if isClosed || member.runs >= settings.runsOfWorker {
            member.worker.stop()
        } else if member.worker.isAlive {
            idle.append(member)
        }
        pump()
    }

    private func popIdle() -> Member? {
        idle.removeAll { !$0.worker.isAlive }
        return idle.lastIndex { $0.worker.isRested }.map { idle.remove(at: $0) } ?? idle.popLast()
    }

    /// Gives workers to those who wait, and has as many started as are wanted: one that stands by among them.
    private func pump() {
        guard !isClosed else { return }
        while !waiters.isEmpty, busy < settings.size, let member = popIdle() {
            working[member.worker.processID] = member.worker
            waiters.removeFirst().continuation.resume(returning: .success(member))
        }
        if let failure, failure.until > .now { return }
        let wanted = min(waiters.count, settings.size - busy) + 1
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
            failure = nil
            if isClosed { worker.stop() } else { idle.append(Member(worker: worker)) }
        case .failure(let unavailable):
            failure = (unavailable.reason, .now + settings.pause)
            // Those who wait may still get a worker that is busy now.
            if busy == 0, starting == 0, idle.isEmpty { failWaiters(unavailable) }
        }
        pump()
    }

    private func failWaiters(_ reason: WorkerThread.Unavailable) {
        for waiter in waiters { waiter.continuation.resume(returning: .failure(reason)) }
        waiters = []
    }

    private func expire(_ id: Int, _ reason: String) {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
        waiters.remove(at: index).continuation.resume(
            returning: .failure(WorkerThread.Unavailable(reason: failure?.reason ?? reason)))
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

/// Answers what `require` asks from the folders of packages, and leaves the rest to the run's host.
private struct ModulesAndHost: ScriptHost {
    let modules: ModuleFolder
    let host: any ScriptHost

    func answer(_ call: ScriptCall) async -> ScriptAnswer {
        call.name == ModuleFolder.call ? modules.answer(call.arguments) : await host.answer(call)
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
                log: min(limits.log, most.log)))
    }
}
