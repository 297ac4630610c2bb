import Foundation
import Scripting
import Testing

@Suite("Hostile scripts")
struct HostileScriptTests {
    @Test(
        "An endless script ends with its processor time, wherever it loops",
        arguments: [
            "while (true);",
            "const next = () => Promise.resolve().then(next); await next();",
            "for (;;) await null;",
            "/^(a+)+$/.test('a'.repeat(40) + '!');",
            "/^(?=(a+)+$)b/.test('a'.repeat(40) + '!');",
            "api.idToken.setCustomClaim('x', { get y() { for (;;); } });",
            "[2, 1].sort(() => { for (;;); });",
            "for (;;) Array.from({ length: 1000 }, (_, i) => i).sort(() => Math.random() - 0.5);",
            "let n = 3n ** 100000n; for (;;) n = (n * n) % (7n ** 100001n);",
            "JSON.stringify({ toJSON() { for (;;); } });",
            "new Proxy({}, { get() { for (;;); } }).x;",
            "throw { get message() { for (;;); } };",
            "console.log({ get x() { return 1; }, [Symbol.toStringTag]: { toString() { for (;;); } } }, `${{ toString() { for (;;); } }}`);",
            "setInterval(() => { for (;;); }, 1); await new Promise(() => {});",
            "function* all() { for (;;) yield 1; } for (const one of all());",
            "'a'.repeat(1 << 20).replace(/a/g, () => { for (;;); });",
        ])
    func endless(_ body: String) async {
        #expect(await Scripts.body(body, limits: Scripts.brief).end == .exceeded(.cpu))
    }

    @Test("A loop at the top of a module, and one in a rule's text, end, too")
    func endlessBefore() async {
        let pool = TestPools.brief
        #expect(await Scripts.action("for (;;);", pool: pool).end == .exceeded(.cpu))
        let run = ScriptRun(kind: .rule, name: "rule", source: "(() => { for (;;); })()", input: "{}")
        #expect(await pool.run(run, host: NoScriptHost()).end == .exceeded(.cpu))
    }

    @Test(
        "Who takes memory without end is stopped, and it is called that",
        arguments: [
            "const list = []; for (;;) list.push(new Uint8Array(1 << 20).fill(1));",
            "const list = []; for (;;) list.push({ a: [1, 2, 3], b: { c: {} } });",
            "const list = []; let text = 'x'; for (;;) { text += text; list.push(text.replace(/x/, 'y')); }",
            "const map = new Map(); for (let i = 0; ; i++) map.set(i, 'x'.repeat(1000) + i);",
            "let o = {}; for (let i = 0; ; i++) o['key' + i] = i;",
        ])
    func memory(_ body: String) async {
        let limits = ScriptLimits(cpu: .seconds(20), wall: .seconds(20), memory: 48 << 20)
        let end = await Scripts.body(body, limits: limits, pool: TestPools.patient).end
        #expect(end == .exceeded(.memory))
    }

    @Test(
        "What the engine itself refuses is the script's error",
        arguments: [
            "const f = () => f() + 1; f();",
            "new ArrayBuffer(2 ** 40);",
            "'x'.repeat(2 ** 30).repeat(2 ** 30);",
            "let o = {}; for (let i = 0; i < 60000; i++) o = { o }; api.idToken.setCustomClaim('x', o);",
            "let n = 3n; for (;;) n = n * n;",
        ])
    func refused(_ body: String) async {
        #expect(
            await Scripts.body(body, limits: TestPools.ample, pool: TestPools.patient).failure?.name
                == "RangeError")
    }

    @Test("Waiting has an end on the clock")
    func wall() async {
        let limits = ScriptLimits(wall: .milliseconds(200))
        let waiting = "await new Promise(accept => setTimeout(accept, 60000));"
        #expect(await Scripts.body(waiting, limits: limits).end == .exceeded(.wall))
        let asking = TestHost { _ in
            try? await Task.sleep(for: .seconds(60))
            return .value("null")
        }
        #expect(
            await Scripts.body("await fetch('https://a.example/');", limits: limits, host: asking).end
                == .exceeded(.wall))
    }

    @Test("Effects have a limit, and what was asked for before it is kept")
    func output() async throws {
        let limits = ScriptLimits(output: 10_000)
        let result = await Scripts.body(
            "for (;;) try { api.idToken.setCustomClaim('x', 'y'.repeat(900)); } catch { }", limits: limits)
        #expect(result.end == .exceeded(.output))
        #expect((5...11).contains(result.effects.count))
        let returned = await Scripts.rule(
            "function (u, c, cb) { u.x = 'y'.repeat(2000000); cb(null, u, c); }")
        #expect(returned.end == .exceeded(.output))
    }

    @Test("A log has a limit, and says where it was cut")
    func log() async {
        let result = await Scripts.body(
            "for (let i = 0; i < 2000; i++) console.log('x'.repeat(300));",
            limits: ScriptLimits(cpu: .seconds(20), wall: .seconds(20), log: 5000),
            pool: TestPools.patient)
        #expect(result.end == .returned("null"))
        #expect(result.logs.count < 25)
        #expect(result.console.last == "The rest of the log is left out.")
    }

    @Test("What happened before a limit was passed is kept")
    func kept() async {
        let result = await Scripts.body(
            "api.accessToken.addScope('asked'); console.log('said'); for (;;);", limits: Scripts.brief)
        #expect(result.effects == [ScriptEffect(op: "accessToken.addScope", value: #"{"scope":"asked"}"#)])
        #expect(result.console == ["said"])
    }

    @Test("Nothing of a run is there in the next one, whatever it did to the language")
    func leaks() async {
        let pool = TestPools.single
        let before = await Scripts.body("globalThis.mark = 1; console.log('first');", pool: pool)
        #expect(before.console == ["first"])
        let hostile = await Scripts.action(
            """
            Object.prototype.leaked = 'leaked'; Array.prototype.push = null; JSON.stringify = () => '"forged"';
            JSON.parse = null; Promise.prototype.then = null; Function.prototype.call = null; Reflect.apply = null;
            Map.prototype.get = null; String.prototype.replace = null; globalThis.Error = null; globalThis.Promise = null;
            Array.prototype[Symbol.iterator] = null; Object.defineProperty(Object.prototype, 'toJSON', { value: undefined });
            exports.onExecutePostLogin = (event, api) => { api.idToken.setCustomClaim('__proto__', { __proto__: null, a: 1 }); };
            """, pool: pool)
        #expect(
            hostile.effects == [
                ScriptEffect(op: "idToken.setCustomClaim", value: #"{"name":"__proto__","value":{"a":1}}"#)
            ])
        let next = await Scripts.body(
            "console.log(typeof mark, ({}).leaked, typeof [].push, JSON.stringify([1]), require('url') === require('url'));",
            pool: pool)
        #expect(next.console == ["undefined undefined function [1] true"])
    }

    @Test("A timer and an answer that a run has left behind do not reach the next one")
    func lateAnswers() async {
        let pool = TestPools.single
        let slow = TestHost { _ in
            try? await Task.sleep(for: .milliseconds(50))
            return .value(#"{"status":200,"body":"late"}"#)
        }
        let first = await Scripts.body(
            "fetch('https://a.example/').then(() => console.log('late')); setTimeout(() => console.log('late'), 20);",
            host: slow, pool: pool)
        #expect(first.end == .returned("null"))
        let next = await Scripts.body(
            "await new Promise(accept => setTimeout(accept, 120)); console.log('alone');", host: slow, pool: pool)
        #expect(next.console == ["alone"])
    }

    @Test("The machine is out of reach from JavaScript, too")
    func globals() async {
        let result = await Scripts.body(
            """
            console.log(Object.keys(process.env).length, typeof Deno, typeof WebAssembly, typeof SharedArrayBuffer, typeof load, typeof read,
              typeof native, typeof tools);
            for (const name of ['fs', 'child_process', 'net', 'os', 'vm', 'worker_threads', '../prelude/runtime', 'fetch', 'requests', '__proto__']) {
              try { require(name); console.log('got', name); } catch (error) { if (error.code !== 'MODULE_NOT_FOUND') console.log(name, error); }
            }
            """)
        #expect(result.console == ["0 undefined undefined undefined undefined undefined undefined undefined"])
    }

    @Test("An unknown module names those that there are")
    func unknownModule() async {
        let failure = await Scripts.body("require('lodash@4.17.21');").failure
        #expect(failure?.code == "MODULE_NOT_FOUND")
        #expect(
            failure?.message == "Cannot find module 'lodash@4.17.21'. Available are: "
                + ScriptModules.available.joined(separator: ", ")
                + ", and what the server has in its folders of packages")
        #expect(ScriptModules.contains("axios@1.7.2") && ScriptModules.contains("node:crypto"))
        #expect(
            !ScriptModules.contains("lodash") && !ScriptModules.contains("node:axios")
                && !ScriptModules.contains("@a/axios"))
        for name in ScriptModules.available {
            #expect(await Scripts.body("require('\(name)');").end == .returned("null"), "\(name)")
        }
    }

    @Test("Whatever a script did, the next one runs")
    func next() async {
        for body in ["for (;;);", "const l = []; for (;;) l.push(new Uint8Array(1 << 20).fill(1));", "return;"] {
            _ = await Scripts.body(body, limits: Scripts.brief, pool: TestPools.single)
            #expect(await Scripts.body("return 1;", pool: TestPools.single).end == .returned("null"))
        }
    }
}
