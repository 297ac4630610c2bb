import Scripting
import Synchronization
import TestSupport
import Testing

/// Nobody keeps the workers for themselves.
@Suite("Shares of the workers")
struct ScriptShareTests {
    /// Holds every run that asks it, until it is told to let one go, and notes in which order they came.
    private final class Gate: Sendable {
        private struct State {
            var names: [String] = []
            var held: [(name: String, continuation: CheckedContinuation<Void, Never>)] = []
            var isOpen = false
        }

        private let state = Mutex(State())

        var names: [String] { state.withLock { $0.names } }
        var held: [String] { state.withLock { $0.held.map(\.name) } }

        func enter(_ name: String) async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.names.append(name)
                    if !state.isOpen { state.held.append((name, continuation)) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        /// Lets everybody through from now on.
        func open() {
            let held = state.withLock { state in
                defer { (state.held, state.isOpen) = ([], true) }
                return state.held
            }
            for (_, continuation) in held { continuation.resume() }
        }
    }

    private let gate = Gate()

    private static func settings(size: Int, waiting: Int = 256) -> ScriptPool.Settings {
        var settings = TestPools.settings(TestPools.ample, size: size)
        settings.mostWaiting = waiting
        settings.patience = .seconds(600)
        return settings
    }

    /// A run that the gate knows as `name`, and holds.
    private func start(_ name: String, share: String?, in pool: ScriptPool) -> Task<ScriptResult.End, Never> {
        let run = ScriptRun(
            kind: .action, name: name,
            source: "exports.onExecutePostLogin = async () => { await fetch('https://a.example/'); };",
            entry: "onExecutePostLogin", input: #"{"event":{}}"#, share: share)
        let host = TestHost { [gate] _ in
            await gate.enter(name)
            return .value(#"{"status":200,"body":""}"#)
        }
        return Task { await pool.run(run, host: host).end }
    }

    private func wait(until isSo: () async -> Bool) async {
        while await !isSo() { try? await Task.sleep(for: .milliseconds(2)) }
    }

    @Test("One user has half of the places at most; another one finds one at once")
    func half() async {
        let pool = ScriptPool(Self.settings(size: 2))
        var tasks = [start("a1", share: "a", in: pool)]
        await wait { gate.held == ["a1"] }
        for name in ["a2", "a3"] { tasks.append(start(name, share: "a", in: pool)) }
        await wait { await pool.waiting == 2 }
        tasks.append(start("b1", share: "b", in: pool))
        await wait { gate.held == ["a1", "b1"] }
        #expect(await pool.waiting == 2)
        gate.open()
        for task in tasks { #expect(await task.value == .returned("null")) }
        await pool.shutdown()
    }

    @Test("Users take turns, however many runs each has waiting; runs without a user are users of their own")
    func turns() async {
        let pool = ScriptPool(Self.settings(size: 1))
        var tasks = [start("first", share: nil, in: pool)]
        await wait { gate.held == ["first"] }
        for (name, share) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("c1", nil)] {
            let waiting = await pool.waiting
            tasks.append(start(name, share: share, in: pool))
            await wait { await pool.waiting == waiting + 1 }
        }
        gate.open()
        for task in tasks { #expect(await task.value == .returned("null")) }
        #expect(gate.names == ["first", "a1", "b1", "c1", "a2", "b2", "a3"])
        await pool.shutdown()
    }

    @Test("One user has a quarter of the queue, and is told so at once")
    func quarter() async {
        let pool = ScriptPool(Self.settings(size: 1, waiting: 8))
        var tasks = [start("first", share: nil, in: pool)]
        await wait { gate.held == ["first"] }
        for number in 1...2 {
            tasks.append(start("a\(number)", share: "a", in: pool))
            await wait { await pool.waiting == number }
        }
        guard case .busy(let reason) = await start("a3", share: "a", in: pool).value else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("2 scripts of the same user or application"))
        gate.open()
        for task in tasks { #expect(await task.value == .returned("null")) }
        await pool.shutdown()
    }

    @Test("Where the queue is full, nobody makes room for one who would have as much in it")
    func full() async {
        let pool = ScriptPool(Self.settings(size: 1, waiting: 4))
        var tasks = [start("first", share: nil, in: pool)]
        await wait { gate.held == ["first"] }
        for (number, name) in ["a", "b", "c", "d"].enumerated() {
            tasks.append(start(name, share: name, in: pool))
            await wait { await pool.waiting == number + 1 }
        }
        guard case .busy = await start("e", share: "e", in: pool).value else { return #expect(Bool(false)) }
        gate.open()
        for task in tasks { #expect(await task.value == .returned("null")) }
        await pool.shutdown()
    }

    @Test("Where the queue is full, who has most in it makes room for who has nothing")
    func room() async {
        let pool = ScriptPool(Self.settings(size: 1, waiting: 8))
        let first = start("first", share: nil, in: pool)
        await wait { gate.held == ["first"] }
        var tasks: [String: Task<ScriptResult.End, Never>] = [:]
        for name in ["a1", "a2", "b1", "c1", "d1", "e1", "f1", "g1"] {
            tasks[name] = start(name, share: String(name.prefix(1)), in: pool)
            await wait { await pool.waiting == tasks.count }
        }
        tasks["h1"] = start("h1", share: "h", in: pool)
        guard case .busy? = await tasks.removeValue(forKey: "a2")?.value else { return #expect(Bool(false)) }
        gate.open()
        #expect(await first.value == .returned("null"))
        for task in tasks.values { #expect(await task.value == .returned("null")) }
        await pool.shutdown()
    }
}
