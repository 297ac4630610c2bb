import CJavaScriptCore
import CSandbox
import Foundation
import Scripting

/// One run: what its script has done so far, and what it waits for.
final class Execution {
    /// Calls to the server that may be open at once, and timers.
    private static let mostCalls = 32
    private static let mostTimers = 1000
    /// Characters of a log line, as Auth0 keeps them.
    private static let logLine = 256
    /// Bytes that a request takes beside its arguments.
    private static let callBytes = 64

    let number: UInt64
    let run: ScriptRun
    /// Tells the server; nil in a rehearsal.
    private let channel: ServerChannel?
    private let start = ContinuousClock.now
    private(set) var end: ScriptResult.End?
    private var outputBytes = 0
    private var logBytes = 0
    private var timers: [(id: Double, due: ContinuousClock.Instant)] = []
    private var openCalls = 0
    /// Answers that came while a module was waited for.
    private var early: [(call: UInt64, answer: ScriptAnswer)] = []

    init(number: UInt64, run: ScriptRun, channel: ServerChannel?) {
        (self.number, self.run, self.channel) = (number, run, channel)
    }

    /// Milliseconds since it began.
    var elapsed: Double { start.duration(to: .now) / .milliseconds(1) }

    // MARK: What the script does

    func effect(_ op: String, _ value: String) -> JSValue? {
        guard end == nil else { return nil }
        // A script that goes on and on is stopped here, where nothing of the engine's can be.
        guard counts(op.utf8.count + value.utf8.count + 16) else { quit(.output) }
        channel?.sendLater(.effect(number, ScriptEffect(op: op, value: value)))
        return nil
    }

    /// Whether there is room for so many bytes more; where there is none, that is the run's end.
    private func counts(_ bytes: Int) -> Bool {
        outputBytes += bytes
        guard outputBytes <= run.limits.output else {
            end = .exceeded(.output)
            return false
        }
        return true
    }

    func log(_ level: String, _ text: String) -> JSValue? {
        guard logBytes <= run.limits.log else { return nil }
        let line = String(text.prefix(Self.logLine))
        logBytes += line.utf8.count + 16
        let isFull = logBytes > run.limits.log
        channel?.send(
            .log(
                number,
                isFull
                    ? ScriptLog(level: "warn", text: "The rest of the log is left out.")
                    : ScriptLog(level: level, text: line)))
        return nil
    }

    func returned(_ text: String) -> JSValue? {
        guard end == nil, counts(text.utf8.count) else { return nil }
        end = .returned(text)
        return nil
    }

    func threw(_ description: String) -> JSValue? {
        if end == nil { end = .threw(TenantSource.failure(description, name: run.name)) }
        return nil
    }

    func ask(_ id: Double, _ name: String, _ arguments: String) throws(Native.Refusal) {
        guard end == nil else { throw Native.Refusal("The script has ended") }
        guard let channel else { throw Native.Refusal("Nobody answers here") }
        guard openCalls < Self.mostCalls else {
            throw Native.Refusal("More than \(Self.mostCalls) requests at once")
        }
        guard counts(arguments.utf8.count + Self.callBytes) else {
            throw Native.Refusal("The request is too large")
        }
        openCalls += 1
        channel.send(.call(number, id: UInt64(id), ScriptCall(name: name, arguments: arguments)))
    }

    /// Asks the server for a module, and waits for it: `require` answers at once.
    /// - Returns: what ``ModuleFolder`` says, as JSON text.
    func module(_ arguments: String) throws(Native.Refusal) -> String {
        guard end == nil, let channel else { throw Native.Refusal("Nobody answers here") }
        if let known = channel.modules[arguments] { return known }
        guard counts(arguments.utf8.count + Self.callBytes) else {
            throw Native.Refusal("The request is too large")
        }
        // The runtime counts its calls from one.
        channel.send(.call(number, id: 0, ScriptCall(name: ModuleFolder.call, arguments: arguments)))
        while true {
            guard case .answer(number, let call, let answer) = channel.receive(until: nil) else { continue }
            guard call == 0 else {
                early.append((call, answer))
                continue
            }
            switch answer {
            case .value(let text):
                channel.remember(text, for: arguments)
                return text
            case .failure(let message): throw Native.Refusal(message)
            }
        }
    }

    func wait(_ id: Double, _ milliseconds: Double) throws(Native.Refusal) {
        guard timers.count < Self.mostTimers else { throw Native.Refusal("More than \(Self.mostTimers) timers") }
        let wait = milliseconds.isFinite ? min(max(milliseconds, 1), 1e9) : 1
        timers.append((id, .now + .milliseconds(wait)))
    }

    func forget(_ id: Double) -> JSValue? {
        timers.removeAll { $0.id == id }
        return nil
    }

    /// Ends the process amid the script.
    private func quit(_ limit: ScriptResult.Limit) -> Never {
        channel?.send(.exceeded(number, limit, ScriptUsage(sandbox_watchdog_disarm())))
        _exit(124)
    }

    // MARK: Its course

    /// Runs the script to its end.
    func perform(in realm: Realm, _ sources: TenantSource) -> ScriptResult.End {
        realm.execution = self
        switch sources.compile(run, in: realm) {
        case .failure(let failure): return .threw(failure)
        case .success(let factory):
            invoke("start", [.value(factory), .text(run.entry), .text(run.input)], in: realm)
        }
        while end == nil {
            guard let event = nextEvent() else {
                invoke("unsettled", [], in: realm)
                return end ?? .neverSettled
            }
            switch event {
            case .timer(let id): invoke("fire", [.number(id)], in: realm)
            case .answer(let call, let answer):
                let (isValue, text) =
                    switch answer {
                    case .value(let text): (true, text)
                    case .failure(let message): (false, message)
                    }
                invoke("answer", [.number(Double(call)), .boolean(isValue), .text(text)], in: realm)
            }
        }
        return end ?? .neverSettled
    }

    private func invoke(_ name: String, _ arguments: [Realm.Argument], in realm: Realm) {
        guard let exception = realm.invoke(name, arguments), end == nil else { return }
        end = .threw(TenantSource.failure(realm.failure(exception), name: run.name))
    }

    private enum Event {
        case timer(Double)
        case answer(UInt64, ScriptAnswer)
    }

    /// What happens next, or nil where nothing can any more. The watchdog ends a wait that is too long.
    private func nextEvent() -> Event? {
        if !early.isEmpty {
            openCalls -= 1
            let (call, answer) = early.removeFirst()
            return .answer(call, answer)
        }
        while true {
            let next = timers.indices.min { timers[$0].due < timers[$1].due }
            if let next, timers[next].due <= .now { return .timer(timers.remove(at: next).id) }
            guard next != nil || openCalls > 0 else { return nil }
            let message = channel?.receive(until: next.map { timers[$0].due })
            guard channel != nil else {
                // A rehearsal has no server to wait for.
                guard let next else { return nil }
                return .timer(timers.remove(at: next).id)
            }
            // An answer may be one that a run before this one has not waited for.
            if case .answer(number, let call, let answer) = message {
                openCalls -= 1
                return .answer(call, answer)
            }
        }
    }
}
