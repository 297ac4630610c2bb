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
}
