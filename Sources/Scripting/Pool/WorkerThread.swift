import Foundation

/// The thread that talks to one worker: it starts the process, waits for it, and ends it when its time is up.
///
/// The process ends with this thread, too: the kernel sees to that (`PR_SET_PDEATHSIG`).
final class WorkerThread {
    /// What the worker's own watchdog gets beyond the limit, to report it.
    private static let grace = Duration.milliseconds(250)
    /// Bytes that are taken in at once, and those of a frame that no run has sent.
    private static let mostAtOnce = 1 << 16
    /// Bytes of answers that a worker may leave unread.
    private static let mostUnread = 4 * Frame.most

    private let process: ChildProcess
    private let bell: Bell
    private let worker: Worker
    private let modules: ModuleFolder
    private var incoming: FrameBuffer
    private var outgoing: [UInt8] = []
    private var course: RunCourse?
    /// What has become of the run that the worker ends with.
    private var last: Worker.Outcome?
    private var runs: UInt64 = 0
    /// Whether the worker has ended a run and not said yet that it has rested.
    private var isResting = false

    private init(
        _ process: ChildProcess, _ bell: Bell, _ worker: Worker, _ incoming: FrameBuffer, _ modules: ModuleFolder
    ) {
        (self.process, self.bell, self.worker, self.incoming) = (process, bell, worker, incoming)
        self.modules = modules
    }

    /// No worker can be had.
    struct Unavailable: Error {
        let reason: String
    }

    /// Starts a worker and waits until its sandbox is closed.
    static func start(_ settings: ScriptPool.Settings) async -> Result<Worker, Unavailable> {
        await withCheckedContinuation { continuation in
            let thread = Thread { main(settings) { continuation.resume(returning: $0) } }
            thread.name = "script worker"
            thread.stackSize = 1 << 19
            thread.start()
        }
    }

    private static func main(
        _ settings: ScriptPool.Settings, _ started: (Result<Worker, Unavailable>) -> Void
    ) {
        let process: ChildProcess
        do {
            process = try ChildProcess(settings.command, environment: settings.environment)
        } catch {
            return started(.failure(Unavailable(reason: error.description)))
        }
        guard let bell = Bell() else {
            _ = process.end()
            return started(.failure(Unavailable(reason: "The server has no descriptors left")))
        }
        var incoming = FrameBuffer()
        switch greeting(of: process, &incoming, within: settings.startTime) {
        case .success(let report):
            let worker = Worker(report: report, process: process, bell: bell)
            started(.success(worker))
            WorkerThread(process, bell, worker, incoming, settings.modules).serve()
        case .failure(let reason):
            let end = process.end()
            started(
                .failure(
                    Unavailable(reason: reason.reason.isEmpty ? "The worker has not started: \(end)" : reason.reason)))
        }
    }

    /// The worker's first words. An empty reason where it has none.
    private static func greeting(
        of process: ChildProcess, _ incoming: inout FrameBuffer, within time: Duration
    ) -> Result<SandboxReport, Unavailable> {
        let deadline = ContinuousClock.now + time
        do {
            while true {
                if let frame = try incoming.next(most: mostAtOnce) {
                    switch try WorkerMessage(frame) {
                    case .ready(let report): return .success(report)
                    case .unavailable(let reason): return .failure(Unavailable(reason: reason))
                    default: throw MalformedFrame()
                    }
                }
                var waiting = [pollfd(fd: process.socket, events: Int16(POLLIN), revents: 0)]
                guard wait(&waiting, until: deadline) else {
                    return .failure(Unavailable(reason: "The worker was not ready within \(time)"))
                }
                guard receive(process.socket, &incoming) else { return .failure(Unavailable(reason: "")) }
            }
        } catch {
            return .failure(Unavailable(reason: "The worker says what nobody understands"))
        }
    }

    // MARK: Its course

    private func serve() {
        var end: String?
        while end == nil { end = follow(worker.takeOrders()) ?? exchange() }
        leave(end ?? "")
    }

    /// - Returns: why the worker is of no more use.
    private func follow(_ orders: [Worker.Order]) -> String? {
        var end: String?
        for order in orders where end == nil {
            switch order {
            case .run(let job, let number, let unsent): begin(job, number, unsent)
            case .answer(let run, let call, let answer):
                if run == runs, let course, course.answered(call) { end = reply(answer, to: call) }
            case .leave: end = "the server has stopped it"
            }
        }
        return end
    }

    /// - Returns: why the worker is of no more use.
    private func reply(_ answer: ScriptAnswer, to call: UInt64) -> String? {
        outgoing += ServerMessage.answer(runs, call: call, answer.limited).frame.bytes
        return outgoing.count > Self.mostUnread ? "it does not read its answers" : nil
    }

    private func begin(_ job: Worker.Job, _ number: UInt64, _ unsent: ArraySlice<UInt8>) {
        runs = number
        worker.setRested(false)
        course = RunCourse(number: runs, job: job, grace: Self.grace, worker: worker)
        outgoing += unsent
    }

    /// Waits for something to happen, and lets it.
    /// - Returns: why the worker is of no more use.
    private func exchange() -> String? {
        var waiting = [
            pollfd(fd: process.socket, events: Int16(POLLIN) | (outgoing.isEmpty ? 0 : Int16(POLLOUT)), revents: 0),
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard Self.wait(&waiting, until: course?.deadline) else {
            last = course?.overdue()
            return "it was overdue"
        }
        if waiting[1].revents != 0 { bell.silence() }
        // The worker may have answered to a run that was sent past this thread.
        if let end = follow(worker.takeOrders()) { return end }
        if waiting[0].revents & Int16(POLLOUT) != 0, !sendSome() { return "it does not listen" }
        if waiting[0].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            let isOpen = Self.receive(process.socket, &incoming)
            do {
                while let frame = try incoming.next(most: course?.most ?? Self.mostAtOnce) {
                    if let end = take(try WorkerMessage(frame), count: frame.body.count + 5) { return end }
                }
            } catch {
                return "it says what nobody understands"
            }
            if !isOpen { return "" }
        }
        return nil
    }

    private func take(_ message: WorkerMessage, count: Int) -> String? {
        if message == .rested {
            guard isResting else { return "it says what nobody has asked for" }
            isResting = false
            worker.setRested(true)
        }
        guard let course else { return message == .rested ? nil : "it says what nobody has asked for" }
        switch course.take(message, count: count) {
        case .goesOn: return nil
        // Files may let wait. This thread may, since the script does so, too.
        case .wantsModule(let call, let arguments): return reply(modules.answer(arguments), to: call)
        case .ended(let result):
            isResting = true
            if outgoing.isEmpty { worker.clear() }
            finish(.finished(result))
            return nil
        case .endedWithWorker(let result):
            last = .finished(result)
            return "it has passed a limit, or says what it must not"
        }
    }

    private func finish(_ outcome: Worker.Outcome?) {
        guard let outcome, let course else { return }
        self.course = nil
        course.cancelCalls()
        course.job.finish(outcome)
    }

    private func leave(_ reason: String) {
        worker.closeSocket()
        let status = process.end()
        let end = reason.isEmpty ? status : reason
        // Before anybody hears of the run: who hears of it would give the worker another one.
        let unread = worker.closeInbox(end)
        finish(last ?? course?.lost(end))
        for case .run(let job, _, _) in unread { job.finish(.notBegun(end)) }
    }

    // MARK: The socket

    /// - Returns: whether the other end is there.
    private func sendSome() -> Bool {
        while !outgoing.isEmpty {
            let count = ChildProcess.send(outgoing[...], to: process.socket)
            if count > 0 { outgoing.removeFirst(count) }
            if count < 0 {
                // Its last words may wait to be read; that it is gone is seen there.
                return errno == EAGAIN || errno == EINTR || errno == EPIPE || errno == ECONNRESET
            }
        }
        return true
    }

    /// Once, and no more than fits: who writes without end is not listened to without end.
    /// - Returns: whether the other end is there.
    private static func receive(_ socket: Int32, _ buffer: inout FrameBuffer) -> Bool {
        var chunk = [UInt8](repeating: 0, count: mostAtOnce)
        let count = read(socket, &chunk, chunk.count)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        buffer.append(chunk[..<count])
        return true
    }

    /// - Returns: whether anything happened before the deadline.
    private static func wait(_ descriptors: inout [pollfd], until deadline: ContinuousClock.Instant?) -> Bool {
        while true {
            var timeout: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero else { return false }
                timeout = Int32(clamping: Int64((left / .milliseconds(1)).rounded(.up)))
            }
            if poll(&descriptors, nfds_t(descriptors.count), timeout) > 0 { return true }
        }
    }
}

extension ScriptAnswer {
    /// Itself, where it fits into a frame.
    fileprivate var limited: ScriptAnswer {
        guard case .value(let text) = self, text.utf8.count > Frame.most / 2 else { return self }
        return .failure("The answer has more than \(Frame.most >> 21) megabytes")
    }
}
