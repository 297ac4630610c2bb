import Foundation
import Scripting
import TestSupport

/// What a test runs, in the real sandbox.
enum Scripts {
    static func action(
        _ source: String, input: String = #"{"event":{"user":{"email":"ada@example.com"}}}"#,
        limits: ScriptLimits = TestPools.ample, host: any ScriptHost = NoScriptHost(),
        pool: ScriptPool = TestWorkers.pool
    ) async -> ScriptResult {
        await pool.run(
            ScriptRun(
                kind: .action, name: "action Claims", source: source, entry: "onExecutePostLogin", input: input,
                limits: limits),
            host: host)
    }

    /// The body of an action's handler.
    static func body(
        _ body: String, limits: ScriptLimits = TestPools.ample, host: any ScriptHost = NoScriptHost(),
        pool: ScriptPool = TestWorkers.pool
    ) async -> ScriptResult {
        await action(
            "exports.onExecutePostLogin = async (event, api) => { \(body) };", limits: limits, host: host, pool: pool)
    }

    static func rule(
        _ source: String, input: String = #"{"user":{"email":"ada@example.com"},"context":{"idToken":{}}}"#,
        host: any ScriptHost = NoScriptHost()
    ) async -> ScriptResult {
        await TestWorkers.pool.run(
            ScriptRun(kind: .rule, name: "rule Roles", source: source, input: input, limits: TestPools.ample),
            host: host)
    }

    static func database(_ source: String, entry: String, arguments: String) async -> ScriptResult {
        await TestWorkers.pool.run(
            ScriptRun(
                kind: .database, name: "database \(entry)", source: source, entry: entry,
                input: #"{"arguments":\#(arguments)}"#, limits: TestPools.ample),
            host: NoScriptHost())
    }

    /// Processor time that an endless script gets in a test.
    static let brief = ScriptLimits(cpu: .milliseconds(150), wall: ScriptLimits.longest)
}

/// A host of closures.
struct TestHost: ScriptHost {
    let body: @Sendable (ScriptCall) async -> ScriptAnswer

    init(_ body: @escaping @Sendable (ScriptCall) async -> ScriptAnswer) { self.body = body }

    func answer(_ call: ScriptCall) async -> ScriptAnswer { await body(call) }
}

extension ScriptResult {
    var failure: ScriptFailure? {
        if case .threw(let failure) = end { failure } else { nil }
    }

    /// What the console shows.
    var console: [String] { logs.map(\.text) }
}
