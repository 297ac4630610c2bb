import Foundation
import Scripting
import TestSupport
import Testing

@Suite("A worker that is killed")
struct WorkerFaultTests {
    private static let good = "api.accessToken.addScope('good');"

    private static func kill(_ pool: ScriptPool) async {
        for process in await pool.processes { Foundation.kill(process, SIGKILL) }
    }

    @Test("before a run: another one takes the run")
    func before() async {
        let pool = ScriptPool(TestWorkers.settings(size: 1))
        for _ in 0..<5 {
            #expect(await Scripts.body(Self.good, pool: pool).end == .returned("null"))
            await Self.kill(pool)
            let next = await Scripts.body(Self.good, pool: pool)
            #expect(next.end == .returned("null"))
            #expect(next.effects.count == 1)
        }
        await pool.shutdown()
    }

    @Test("during a run: that run has crashed, with its effects so far, and nobody else's")
    func during() async {
        let pool = ScriptPool(TestPools.settings(TestPools.ample, size: 1))
        let host = TestHost { _ in
            Task {
                try await Task.sleep(for: .milliseconds(30))
                await Self.kill(pool)
            }
            return .value(#"{"status":200,"body":""}"#)
        }
        let result = await Scripts.body(
            "api.accessToken.addScope('before'); await fetch('https://a.example/'); for (;;);", host: host, pool: pool)
        guard case .crashed(let reason) = result.end else { return #expect(Bool(false), "\(result.end)") }
        #expect(reason.contains("signal 9"))
        #expect(result.effects == [ScriptEffect(op: "accessToken.addScope", value: #"{"scope":"before"}"#)])
        #expect(await Scripts.body(Self.good, pool: pool).end == .returned("null"))
        await pool.shutdown()
    }

    @Test("during a question to the server: the run has crashed, and the question is cancelled")
    func duringCall() async {
        let pool = ScriptPool(TestWorkers.settings(size: 1))
        let (cancelled, continuation) = AsyncStream.makeStream(of: Void.self)
        let host = TestHost { _ in
            await Self.kill(pool)
            try? await Task.sleep(for: .seconds(60))
            if Task.isCancelled { continuation.yield() }
            return .value("null")
        }
        let result = await Scripts.body("await fetch('https://a.example/');", host: host, pool: pool)
        guard case .crashed = result.end else { return #expect(Bool(false), "\(result.end)") }
        for await _ in cancelled { break }
        #expect(await Scripts.body(Self.good, pool: pool).end == .returned("null"))
        await pool.shutdown()
    }

    @Test("while others run: they go on")
    func others() async {
        let pool = ScriptPool(TestWorkers.settings(size: 3))
        await withTaskGroup(of: ScriptResult.self) { group in
            for index in 0..<30 {
                group.addTask {
                    await Scripts.body(
                        index % 3 == 0
                            ? "for (;;);" : "await new Promise(accept => setTimeout(accept, 5)); \(Self.good)",
                        limits: Scripts.brief, pool: pool)
                }
            }
            var ends: [ScriptResult.End] = []
            for await result in group { ends.append(result.end) }
            #expect(ends.count { $0 == .returned("null") } == 20)
            #expect(ends.count { $0 == .exceeded(.cpu) } == 10)
        }
        await pool.shutdown()
    }

    @Test("as it starts: the reason is told, and it is tried again later")
    func starting() async {
        var settings = ScriptPool.Settings(command: ["/bin/sh", "-c", "exit 1"])
        settings.pause = .zero
        let failing = ScriptPool(settings)
        for _ in 0..<2 {
            #expect(
                await Scripts.body(Self.good, pool: failing).end
                    == .unavailable("The worker has not started: it ended with 1"))
        }
        let missing = ScriptPool(ScriptPool.Settings(command: ["/nowhere/portico"]))
        guard case .unavailable(let reason) = await Scripts.body(Self.good, pool: missing).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("/nowhere/portico cannot be started: No such file"))
    }

    @Test("What a worker says is not believed: noise ends it")
    func noise() async {
        let pool = ScriptPool(ScriptPool.Settings(command: ["/bin/sh", "-c", "head -c 100 /dev/zero >&3; cat <&3"]))
        #expect(
            await Scripts.body(Self.good, pool: pool).end
                == .unavailable("The worker says what nobody understands"))
    }

    // MARK: One that has been broken into

    /// A pool whose worker greets, waits for its run, begins it or not, and then says `words`, for ever where it repeats.
    private static func pool(_ words: [UInt8], hasBegun: Bool = true, repeats: Bool = false) -> ScriptPool {
        func say(_ bytes: [UInt8]) -> String {
            "printf %b '" + bytes.map { #"\0"# + String($0, radix: 8) }.joined() + "' >&3; "
        }
        var script = say(WorkerMessage.ready(SandboxReport(engine: "none", memory: 1, layers: [])).frame.bytes)
        script += "head -c 1 <&3 >/dev/null; "
        if hasBegun { script += say(WorkerMessage.begun(1).frame.bytes) }
        script += repeats ? "while " + say(words) + "do :; done" : say(words) + "exec sleep 60"
        return ScriptPool(ScriptPool.Settings(command: ["/bin/sh", "-c", script], size: 1))
    }

    @Test("A worker that says it has rested from a run that it has not ended is ended")
    func unasked() async {
        let pool = Self.pool(WorkerMessage.rested.frame.bytes, hasBegun: false, repeats: true)
        guard case .unavailable(let reason) = await Scripts.body(Self.good, pool: pool).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("it says what nobody has asked for"))
        await pool.shutdown()
    }

    @Test("What belongs to another run ends the worker, and so does a greeting amid a run")
    func otherRun() async {
        for message in [WorkerMessage.log(99, ScriptLog(level: "log", text: "x")), .unavailable("x")] {
            let pool = Self.pool(message.frame.bytes)
            #expect(
                await Scripts.body(Self.good, pool: pool).end
                    == .crashed("The worker says what does not belong to the run"))
            await pool.shutdown()
        }
    }

    @Test("Frames are counted whole: a log's level is no place to hide a flood in")
    func flood() async {
        let log = ScriptLog(level: String(repeating: "x", count: 8000), text: "")
        let pool = Self.pool(WorkerMessage.log(1, log).frame.bytes, repeats: true)
        let limits = ScriptLimits(output: 1024, log: 1024)
        #expect(await Scripts.body(Self.good, limits: limits, pool: pool).end == .exceeded(.output))
        await pool.shutdown()
    }

    @Test("A frame that announces more than its run may say is refused before it comes")
    func announced() async {
        let pool = Self.pool([0xff, 0xff, 0xff, 0x00, 0x4c])
        guard case .crashed(let reason) = await Scripts.body(Self.good, pool: pool).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("nobody understands"))
        await pool.shutdown()
    }
}
