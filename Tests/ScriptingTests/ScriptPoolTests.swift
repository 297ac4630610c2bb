import Foundation
import Scripting
import Synchronization
import TestSupport
import Testing

@Suite("The pool of workers")
struct ScriptPoolTests {
    @Test("No process is started before the first script; then one more stands by")
    func lazy() async throws {
        let pool = ScriptPool(TestWorkers.settings(size: 2))
        #expect(await pool.processes.isEmpty)
        #expect(await Scripts.body("return;", pool: pool).end == .returned("null"))
        while await pool.processes.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        await pool.shutdown()
        #expect(await pool.processes.isEmpty)
        #expect(await Scripts.body("return;", pool: pool).end == .unavailable("The server is stopping"))
    }

    @Test("No more scripts run at once than the pool has places, and none is lost")
    func places() async {
        let pool = ScriptPool(TestWorkers.settings(size: 2))
        let running = Mutex((now: 0, most: 0))
        let host = TestHost { _ in
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            // Nobody is answered before two have asked.
            while running.withLock({ $0.most }) < 2 { try? await Task.sleep(for: .milliseconds(1)) }
            running.withLock { $0.now -= 1 }
            return .value(#"{"status":200,"body":""}"#)
        }
        await withTaskGroup(of: ScriptResult.End.self) { group in
            for _ in 0..<20 {
                group.addTask { await Scripts.body("await fetch('https://a.example/');", host: host, pool: pool).end }
            }
            for await end in group { #expect(end == .returned("null")) }
        }
        #expect(running.withLock { $0.most } == 2)
        await pool.shutdown()
    }

    @Test("Who finds all places taken for as long as a script may run is told so")
    func busy() async {
        var settings = TestPools.settings(.standard, size: 1)
        settings.patience = .milliseconds(50)
        settings.startTime = .seconds(120)
        let pool = ScriptPool(settings)
        // Its first worker may take longer than that.
        while await Scripts.body("return;", pool: pool).end != .returned("null") {}
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let (mayEnd, ending) = AsyncStream.makeStream(of: Void.self)
        let holding = TestHost { _ in
            continuation.yield()
            for await _ in mayEnd { break }
            return .value(#"{"status":200,"body":""}"#)
        }
        let first = Task {
            await Scripts.body(
                "await fetch('https://a.example/');", limits: ScriptLimits(wall: ScriptLimits.longest), host: holding,
                pool: pool)
        }
        for await _ in begun { break }
        let second = await Scripts.body("return;", pool: pool)
        ending.yield()
        #expect(await first.value.end == .returned("null"))
        guard case .busy(let reason) = second.end else { return #expect(Bool(false), "\(second.end)") }
        #expect(reason.contains("PORTICO_SCRIPT_WORKERS"))
        await pool.shutdown()
    }

    @Test("No more runs wait than the settings say: one more is told so at once")
    func waiting() async {
        var settings = TestWorkers.settings(size: 1)
        settings.mostWaiting = 0
        let pool = ScriptPool(settings)
        guard case .busy(let reason) = await Scripts.body("return;", pool: pool).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("wait for one of 1 workers already") && reason.contains("PORTICO_SCRIPT_WORKERS"))
        await pool.shutdown()
    }

    @Test("A process is replaced after its runs, and a heap within them, without a failed run")
    func renewal() async {
        var settings = TestWorkers.settings(size: 1)
        settings.runsOfWorker = 110
        let pool = ScriptPool(settings)
        var processes: Set<Int32> = []
        for _ in 0..<240 {
            #expect(await Scripts.body("return;", pool: pool).end == .returned("null"))
            processes.formUnion(await pool.processes)
        }
        #expect(processes.count >= 3)
        await pool.shutdown()
    }

    @Test("Workers that nobody has needed for a while are ended")
    func idle() async throws {
        var settings = TestWorkers.settings(size: 1)
        settings.idleTime = .milliseconds(200)
        let pool = ScriptPool(settings)
        for _ in 0..<2 {
            #expect(await Scripts.body("return;", pool: pool).end == .returned("null"))
            while await !pool.processes.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
        await pool.shutdown()
    }

    @Test("No run gets more than the settings give, whatever it asks for")
    func limits() async {
        let generous = ScriptLimits(cpu: .seconds(1000), wall: .seconds(1000), memory: 1 << 40)
        #expect(await Scripts.body("for (;;);", limits: generous, pool: TestPools.brief).end == .exceeded(.cpu))
    }
}
