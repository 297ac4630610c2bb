import Foundation
import Scripting
import TestSupport
import Testing

@Suite("A script's run")
struct RunTests {
    @Test("What a script is given is its own, however often the engine collects what nobody holds")
    func collected() async {
        var settings = TestPools.settings(TestPools.ample, size: 1)
        settings.environment["JSC_slowPathAllocsBetweenGCs"] = "5"
        let pool = ScriptPool(settings)
        let event =
            #"{"event":{"user":{"email":"ada@example.com"},"list":[\#((0..<2000).map { "\"\($0)\"" }.joined(separator: ","))]}}"#
        for number in 0..<8 {
            let result = await Scripts.action(
                """
                exports.onExecutePostLogin = async (event, api) => {
                    console.log(event.user.email, event.list.length, '\(number)');
                    console.log((await fetch('https://a.example/')).status);
                };
                """, input: event, host: TestHost { _ in .value(#"{"status":200,"body":""}"#) }, pool: pool)
            #expect(result.console == ["ada@example.com 2000 \(number)", "200"], "\(result.end)")
        }
        await pool.shutdown()
    }

    @Test("A rule gets the user and the context, and hands them on")
    func rule() async {
        let result = await Scripts.rule(
            """
            function (user, context, callback) {
              // add custom claims
              context.idToken['http://foo/bar'] = user.email;
              callback(null, user, context);
            }
            """)
        #expect(
            result.end
                == .returned(
                    #"{"user":{"email":"ada@example.com"},"context":{"idToken":{"http://foo/bar":"ada@example.com"}}}"#)
        )
    }

    @Test(
        "A rule may be written in every form that Auth0's editor takes",
        arguments: [
            "function (user, context, callback) { callback(null, user, context); }",
            "function rule(user, context, callback) { callback(null, user, context); }\n",
            "/**\n * @title A rule\n */\nfunction (user, context, callback) { callback(null, user, context); };\n",
            "async (user, context, callback) => { callback(null, user, context); }",
            "function rule(user, context, callback) { help(callback, user, context); }\nfunction help(c, u, x) { c(null, u, x); }",
        ])
    func forms(_ source: String) async {
        let result = await Scripts.rule(source, input: #"{"user":{},"context":{}}"#)
        #expect(result.end == .returned(#"{"user":{},"context":{}}"#))
    }

    @Test("An action's calls come back as effects, in their order")
    func action() async {
        let result = await Scripts.action(
            """
            exports.onExecutePostLogin = async (event, api) => {
              await null;
              api.accessToken.setCustomClaim('https://foo/bar', 'value');
              api.idToken.setCustomClaim('https://fiz/baz', event.user.email);
              api.accessToken.addScope('foo');
            };
            """)
        #expect(result.end == .returned("null"))
        #expect(
            result.effects == [
                ScriptEffect(op: "accessToken.setCustomClaim", value: #"{"name":"https://foo/bar","value":"value"}"#),
                ScriptEffect(
                    op: "idToken.setCustomClaim", value: #"{"name":"https://fiz/baz","value":"ada@example.com"}"#),
                ScriptEffect(op: "accessToken.addScope", value: #"{"scope":"foo"}"#),
            ])
        #expect(result.usage.cpu > .zero && result.usage.wall > .zero && result.usage.peakMemory > 0)
    }

    @Test("A database script is found by its function, whatever is beside it")
    func database() async {
        let login = await Scripts.database(
            "function login(email, password, callback) {\n  callback(null, { user_id: '1', email: email });\n}",
            entry: "login", arguments: #"["ada@example.com","secret"]"#)
        #expect(login.end == .returned(#"[{"user_id":"1","email":"ada@example.com"}]"#))
        let remove = await Scripts.database(
            "const answer = () => null;\nfunction remove(id, callback) { callback(answer()); }",
            entry: "delete", arguments: #"["1"]"#)
        #expect(remove.end == .returned("[]"))
    }

    @Test("console writes what Node's does, a line of 256 characters at most")
    func console() async {
        let result = await Scripts.body(
            """
            console.log('hello', event.user, [1, { a: { b: { c: {} } } }], null, undefined, 1n, new Map([['k', 1]]));
            console.warn('%s is %d', 'x', 3);
            console.error(new TypeError('broken'));
            const loop = {}; loop.self = loop; console.info(loop);
            console.debug('y'.repeat(1000));
            """)
        #expect(
            result.logs.prefix(4) == [
                ScriptLog(
                    level: "log",
                    text: "hello { email: 'ada@example.com' } [ 1, { a: { b: [Object] } } ] null undefined 1n "
                        + "Map(1) { 'k' => 1 }"),
                ScriptLog(level: "warn", text: "x is 3"), ScriptLog(level: "error", text: "TypeError: broken"),
                ScriptLog(level: "info", text: "{ self: [Circular *1] }"),
            ])
        #expect(result.logs.last == ScriptLog(level: "debug", text: String(repeating: "y", count: 256)))
    }

    @Test("Timers fire in the order of their times; a cleared one does not")
    func timers() async {
        let result = await Scripts.body(
            """
            const order = [];
            setTimeout(() => order.push('late'), 30);
            setTimeout(value => order.push(value), 1, 'early');
            clearTimeout(setTimeout(() => order.push('never'), 5));
            let ticks = 0;
            await new Promise(accept => { const id = setInterval(() => { if (++ticks === 3) { clearInterval(id); accept(); } }, 2); });
            setImmediate(() => order.push('immediate'));
            await new Promise(accept => setTimeout(accept, 60));
            queueMicrotask(() => order.push('microtask'));
            await null;
            console.log(order.join(), ticks);
            """)
        #expect(
            result.console == ["early,immediate,late,microtask 3"]
                || result.console == ["early,late,immediate,microtask 3"])
    }

    @Test("A script asks the server, and several questions may be open at once")
    func calls() async {
        let host = TestHost { call in
            call.arguments.contains("refused")
                ? .failure("not for you") : .value(#"{"status":200,"body":"\#(call.name)"}"#)
        }
        let result = await Scripts.body(
            """
            const [one, other] = await Promise.all([fetch('https://a.example/1'), fetch('https://a.example/2')]);
            console.log(await one.text(), other.status);
            try { await fetch('https://a.example/refused'); } catch (error) { console.log(error.name, error.message); }
            """, host: host)
        #expect(result.console == ["fetch 200", "TypeError fetch failed: not for you"])
    }

    @Test("What a script throws has its line in the tenant's text, and a stack of that text alone")
    func lines() async throws {
        let thrown = try #require(
            await Scripts.action(
                """
                // The first line.
                exports.onExecutePostLogin = async (event, api) => {
                  await null;
                  function inner() { null.x; }
                  inner();
                };
                """
            ).failure)
        #expect(thrown.name == "TypeError")
        #expect(thrown.line == 4)
        #expect(
            thrown.stack.split(separator: "\n").dropFirst().map { $0.prefix(36) } == [
                "    at inner (action Claims:4:26)", "    at action Claims:5:8",
            ])
        let rule = try #require(await Scripts.rule("function (user, context, callback) {\n\n  missing();\n}").failure)
        #expect(rule.name == "ReferenceError" && rule.line == 3)
    }

    @Test(
        "A text that is no script says where it stops being one",
        arguments: [
            ("exports.a = 1;\n\nlet b = ;\n", 3), ("exports.a = 1;\na(;", 2), ("a(;", 1),
        ])
    func syntax(source: String, line: Int) async throws {
        let failure = try #require(await Scripts.action(source).failure)
        #expect(failure.name == "SyntaxError")
        #expect(failure.line == line)
    }

    @Test("A brace too many does not end the function that a script is in")
    func braces() async {
        #expect(await Scripts.action("exports.a = 1;\n}\nwhile (true);\n{").failure?.name == "SyntaxError")
    }

    @Test("An error's code and an odd thing that is thrown come through")
    func oddErrors() async throws {
        let coded = try #require(
            await Scripts.body("throw Object.assign(new Error('no'), { code: 'E_NO' });").failure)
        #expect(coded.code == "E_NO" && coded.message == "no")
        #expect(try #require(await Scripts.body("throw 'text';").failure).message == "text")
        let hostile = await Scripts.body("throw { get message() { throw 1; }, toString() { throw 2; } };")
        #expect(hostile.failure?.name == "NonError")
        #expect(
            await Scripts.rule("function (u, c, cb) { cb(new UnauthorizedError('out')); }").effects
                == [ScriptEffect(op: "access.deny", value: #"{"code":"unauthorized","reason":"out"}"#)])
    }

    @Test("The first word counts: a second callback, and what comes after the end, is nothing")
    func first() async {
        let twice = await Scripts.rule(
            "function (u, c, cb) { cb(null, u, {a: 1}); cb(new Error('late')); cb(null, u, {b: 2}); }")
        #expect(
            twice.end == .returned(#"{"user":{"email":"ada@example.com"},"context":{"a":1}}"#) && twice.effects.isEmpty)
        let after = await Scripts.rule("function (u, c, cb) { cb(new Error('first')); throw new Error('second'); }")
        #expect(
            after.effects == [ScriptEffect(op: "access.deny", value: #"{"code":"access_denied","reason":"first"}"#)])
        #expect(after.end == .returned("null"))
    }

    @Test("A callback that nobody calls is no success, and a promise that nobody waits for says why")
    func neverSettled() async {
        #expect(await Scripts.rule("function (user, context, callback) { }").end == .neverSettled)
        #expect(await Scripts.body("await new Promise(() => {});").end == .neverSettled)
        let lost = await Scripts.rule("function (u, c, cb) { (async () => { throw new Error('lost'); })(); }")
        #expect(lost.failure?.message == "lost")
    }

    @Test("What is no JSON fails the script, and halves of surrogate pairs are replaced")
    func json() async {
        #expect(await Scripts.body("api.idToken.setCustomClaim('a', 1n);").failure?.name == "TypeError")
        #expect(await Scripts.rule("function (u, c, cb) { c.self = c; cb(null, u, c); }").failure?.name == "TypeError")
        let halves = await Scripts.body(#"api.idToken.setCustomClaim('\ud800', '\\ud800 \\\ud800 😀');"#)
        #expect(halves.effects.first?.value == #"{"name":"\#u{fffd}","value":"\\ud800 \\\#u{fffd} 😀"}"#)
    }
}
