import Foundation
import Logging
import OAuth
import Scripting
import Storage

/// The scripts of one point of a flow, run one after the other within one budget, and what the log tells of them.
struct ScriptRuns {
    let services: Services
    /// Whose share of the workers they take.
    private let share: String
    private let deadline: ContinuousClock.Instant
    private(set) var reports: [JSONObject] = []
    /// What the scripts are given, and the log is not to have from them.
    var secrets: [String] = []

    /// Lines of a script's console that an event has at most.
    private static let mostLines = 50

    init(services: Services, share: Share) {
        (self.services, self.share) = (services, share.name)
        deadline = ContinuousClock.now + ScriptLimits.longest
    }

    /// Who has a share of the workers of their own.
    enum Share {
        case user(String)
        /// The application with this `client_id`, which acts for itself.
        case client(String)
        /// Whoever asks from where this request comes from, for somebody who is not known yet.
        case network

        fileprivate var name: String {
            switch self {
            case .user(let id): "user \(id)"
            case .client(let id): "client \(id)"
            case .network:
                "network \(RequestOrigin.current?.ip.flatMap(IPAddress.bytes).map(IPAddress.bucket) ?? "")"
            }
        }
    }

    /// What a script has come to.
    struct Ending {
        /// What the kind's prelude gave back, as JSON text.
        let value: String
        let operations: [ScriptOperation]
    }

    /// Runs a script.
    /// - Parameter trigger: the action's; nil for a rule.
    /// - Throws: ``FailedScript`` where it does not end well, or asks for what cannot be.
    mutating func run(
        _ kind: ScriptRun.Kind, title: String, source: String, entry: String = "", input: JSONObject,
        modules: [String: String]? = nil, trigger: ActionTrigger? = nil
    ) async throws -> Ending {
        var limits = services.scripts.limits
        limits.wall = min(limits.wall, max(.milliseconds(1), ContinuousClock.now.duration(to: deadline)))
        let run = ScriptRun(
            kind: kind, name: title, source: source, entry: entry, input: try JSON.text(input), modules: modules,
            limits: limits, share: share)
        let calls = ScriptHostCalls(services: services, kind: kind)
        let result = await services.scripts.run(run, host: calls).hiding(secrets)
        do throws(FailedScript) {
            let ending = try Self.ending(result, title, limits, at: trigger)
            report(title, result, ending.operations.map(\.title) + calls.course.changes)
            return ending
        } catch {
            report(title, result, calls.course.changes, failure: error.cause)
            throw error
        }
    }

    /// What a run comes to, read and checked.
    /// - Throws: ``FailedScript`` where it has not ended well, or asks for what cannot be.
    static func ending(
        _ result: ScriptResult, _ title: String, _ limits: ScriptLimits, at trigger: ActionTrigger?
    ) throws(FailedScript) -> Ending {
        var operations: [ScriptOperation] = []
        for effect in result.effects {
            guard ScriptOperation.isAvailable(effect.op, at: trigger) else {
                throw FailedScript(title, cause: "'\(effect.op.forDisplay)' is not available here")
            }
            do throws(ScriptOperation.Problem) {
                operations.append(try ScriptOperation(effect))
            } catch {
                throw FailedScript(title, cause: error.description)
            }
        }
        for case .unsupported(let name) in operations {
            throw FailedScript(
                title, cause: "it uses \(name.forDisplay), which needs something that this server does not have")
        }
        if let failure = FailedScript(title, result.end, limits) { throw failure }
        guard case .returned(let value) = result.end else { throw FailedScript(title, cause: "it gave nothing back") }
        return Ending(value: value, operations: operations)
    }

    private mutating func report(
        _ title: String, _ result: ScriptResult, _ effects: [String], failure: String? = nil
    ) {
        var report: JSONObject = [
            "name": .string(title), "duration_ms": .integer(result.usage.wall.milliseconds),
            "cpu_ms": .integer(result.usage.cpu.milliseconds),
            "memory_bytes": .integer(Int64(result.usage.peakMemory)),
        ]
        if !result.logs.isEmpty {
            report["console"] = .array(
                result.logs.prefix(Self.mostLines).map {
                    .string("\($0.level.forDisplay): \($0.text.forDisplay)")
                })
        }
        if !effects.isEmpty { report["effects"] = JSONValue(effects) }
        report["error"] = failure.map(JSONValue.string)
        if case .threw(let thrown) = result.end { report["line"] = thrown.line.map { .integer(Int64($0)) } }
        reports.append(report)
    }

    /// Tells of the scripts that ran.
    /// - Parameters:
    ///   - failure: what ended them; nil where all ended well.
    ///   - admits: whether they let the login in that runs here, without anything more to pass.
    func log(_ trail: LogTrail, failure: (any Error)? = nil, admits: Bool = false) {
        guard !reports.isEmpty else { return }
        var facts = trail.facts
        facts.details["scripts"] = .array(reports.map(JSONValue.object))
        if admits { facts.noteBrowser() }
        if let failed = failure as? FailedScript {
            services.log(.failedScript, facts, description: "\(failed.title): \(failed.cause)")
            services.logger.warning(
                "a script failed", metadata: ["script": "\(failed.title)", "cause": "\(failed.cause)"])
        } else {
            services.log(.scripts, facts, description: "Ran \(reports.count == 1 ? "a script" : "scripts")")
        }
        trail.note { $0.details["scripts"] = .array(reports.compactMap { $0["name"] }) }
    }
}

extension LogTrail.Facts {
    /// Notes whose browser it is, in a login that is let in or has passed a second factor.
    mutating func noteBrowser() {
        details[LoginHistory.deviceMember] = RequestOrigin.current?.deviceID.map(JSONValue.string)
    }
}
