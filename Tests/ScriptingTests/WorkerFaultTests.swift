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
    func starting() async throws {
        let starts = try Starts()
        defer { starts.remove() }
        let worker = TestWorkers.settings().command.map { "'\($0)'" }.joined(separator: " ")
        var settings = starts.settings("[ -e \"$0.mended\" ] || exit 1; exec \(worker)")
        settings.pause = .zero
        let failing = ScriptPool(settings)
        #expect(
            await Scripts.body(Self.good, pool: failing).end
                == .unavailable("The worker has not started: it ended with 1"))
        starts.mend()
        while await Scripts.body(Self.good, pool: failing).end != .returned("null") { await Task.yield() }
        await failing.shutdown()
        let missing = ScriptPool(ScriptPool.Settings(command: ["/nowhere/portico"]))
        guard case .unavailable(let reason) = await Scripts.body(Self.good, pool: missing).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("/nowhere/portico cannot be started: No such file"))
    }

    @Test(
        "after its greeting: the reason is told after three, and none is started until a pause is over", .serialized,
        arguments: [Duration.zero, .seconds(3600)])
    func greeting(pause: Duration) async throws {
        let starts = try Starts()
        defer { starts.remove() }
        var settings = starts.settings(Self.say(Self.ready) + "exit 7")
        settings.pause = pause
        settings.patience = .seconds(3600)
        let pool = ScriptPool(settings)
        guard case .unavailable(let reason) = await Scripts.body(Self.good, pool: pool).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("it ended with 7") || reason.contains("it does not listen"))
        // One that stood by may be among them.
        let first = starts.count
        #expect((3...4).contains(first))
        if pause > .zero {
            for _ in 0..<20 {
                guard case .unavailable = await Scripts.body(Self.good, pool: pool).end else {
                    return #expect(Bool(false))
                }
            }
            #expect(starts.count == first)
        }
        await pool.shutdown()
    }

    @Test("after its greeting, with many who wait: all are told, and none is started for each")
    func greetingForMany() async throws {
        let starts = try Starts()
        defer { starts.remove() }
        var settings = starts.settings(Self.say(Self.ready) + "exit 7")
        settings.pause = .seconds(3600)
        settings.patience = .seconds(3600)
        settings.size = 2
        let pool = ScriptPool(settings)
        await withTaskGroup(of: ScriptResult.End.self) { group in
            for _ in 0..<50 { group.addTask { await Scripts.body(Self.good, pool: pool).end } }
            for await end in group {
                guard case .unavailable = end else { return #expect(Bool(false), "\(end)") }
            }
        }
        #expect(starts.count <= 6)
        await pool.shutdown()
    }

    /// Counts the starts of a worker that is a shell's script.
    private struct Starts {
        private let file = FileManager.default.temporaryDirectory.appending(path: "starts-\(UUID().uuidString)")

        init() throws { try Data().write(to: file) }

        var count: Int { ((try? Data(contentsOf: file)) ?? Data()).count }

        /// What the script finds as `$0.mended`.
        func mend() { try? Data().write(to: URL(filePath: file.path() + ".mended")) }

        func remove() {
            for path in [file.path(), file.path() + ".mended"] { try? FileManager.default.removeItem(atPath: path) }
        }

        func settings(_ script: String) -> ScriptPool.Settings {
            var settings = TestWorkers.settings(size: 1)
            settings.command = ["/bin/sh", "-c", "printf . >>\"$0\"; " + script, file.path()]
            return settings
        }
    }

    @Test("What a worker says is not believed: noise ends it")
    func noise() async {
        let pool = Self.pool(of: "head -c 100 /dev/zero >&3; cat <&3")
        #expect(
            await Scripts.body(Self.good, pool: pool).end
                == .unavailable("The worker says what nobody understands"))
    }

    // MARK: One that has been broken into

    private static let ready = WorkerMessage.ready(SandboxReport(engine: "none", memory: 1, layers: [])).frame.bytes

    /// A command of a shell that says `bytes` to the server.
    private static func say(_ bytes: [UInt8]) -> String {
        "printf %b '" + bytes.map { #"\0"# + String($0, radix: 8) }.joined() + "' >&3; "
    }

    /// A pool whose worker greets, waits for its run, begins it or not, and then says `words`, for ever where it repeats.
    private static func pool(_ words: [UInt8], hasBegun: Bool = true, repeats: Bool = false) -> ScriptPool {
        var script = say(ready)
        script += "head -c 1 <&3 >/dev/null; "
        if hasBegun { script += say(WorkerMessage.begun(1).frame.bytes) }
        script += repeats ? "while " + say(words) + "do :; done" : say(words) + "exec sleep 60"
        return pool(of: script)
    }

    /// A pool whose worker is a shell's script, which may take its time to start.
    private static func pool(of script: String) -> ScriptPool {
        var settings = TestWorkers.settings(size: 1)
        settings.command = ["/bin/sh", "-c", script]
        return ScriptPool(settings)
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
