import Foundation
import OAuth
import Scripting
import Storage

/// Runs a rule or an action by itself, for whoever writes it: in the sandbox, with an event that is made up, and without a
/// tenant. Of what it may ask the server for it has `fetch` alone.
package struct ScriptTrial: Sendable {
    let engine: any ScriptEngine
    let outbound: any OutboundHTTP

    package init(engine: any ScriptEngine, outbound: any OutboundHTTP) {
        (self.engine, self.outbound) = (engine, outbound)
    }

    var limits: ScriptLimits { engine.limits }

    /// What a script is tried with.
    package struct Situation: Sendable {
        /// An action's `event`; for a rule `{"user": …, "context": …, "configuration": …}`. What is not there is made up.
        package var event: JSONObject = [:]
        package var secrets: [String: String] = [:]
        /// Where an action is to run; nil for the trigger whose handler it exports first.
        package var trigger: ActionTrigger?
        /// What a custom database's script does; nil for a rule or an action. Its event is
        /// `{"arguments": […], "configuration": {…}, "context": {…}}`.
        package var database: CustomDatabase.Script?

        package init() {}
    }

    /// What became of it, in lines for a terminal.
    package struct Report: Sendable {
        package var lines: [String] = []
        /// Whether a login would go on.
        package var isGood = true
    }

    /// Runs the script.
    package func run(_ source: String, name: String, _ situation: Situation) async throws -> Report {
        if let script = situation.database { return try await run(source, name: name, script, situation) }
        // A rule is one function and exports nothing.
        let isRule = !source.contains("exports")
        let trigger =
            situation.trigger
            ?? ActionTrigger.allCases.first { $0.isRun && source.contains("exports.\($0.handler)") } ?? .postLogin
        let event = isRule ? situation.event : Self.sample.merging(situation.event) { $1 }
        let run = ScriptRun(
            kind: isRule ? .rule : .action, name: name, source: source, entry: isRule ? "" : trigger.handler,
            input: try JSON.text(isRule ? Self.rule(event) : action(event, trigger, situation)), limits: limits)
        let result = await engine.run(run, host: Host(outbound: outbound, kind: run.kind))
        var report = Report()
        report.lines += result.logs.flatMap(Self.console)
        do {
            let ending = try ScriptRuns.ending(result, name, limits, at: isRule ? nil : trigger)
            try describe(ending, isRule: isRule, scope: Self.scope(event), in: &report)
        } catch {
            let cause = (error as? FailedScript)?.cause ?? "\(error)"
            report.lines.append("fails: \(cause)")
            report.isGood = false
        }
        report.lines.append(used(result))
        return report
    }

    /// The line of what a run used.
    func used(_ result: ScriptResult) -> String {
        "used \(result.usage.cpu.milliseconds) ms of \(limits.cpu.milliseconds) ms processor time, and "
            + "\(result.usage.wall.milliseconds) ms of \(limits.wall.milliseconds) ms on the clock"
    }

    /// Answers what a script that is tried asks for.
    struct Host: ScriptHost {
        let outbound: any OutboundHTTP
        let kind: ScriptRun.Kind

        func answer(_ call: ScriptCall) async -> ScriptAnswer {
            do {
                let arguments = try JSON.decode(JSONObject.self, from: call.arguments)
                if let refusal = ScriptHostCalls.refusal(of: call.name, to: kind) { return .failure(refusal) }
                // What would be written is answered as if it had been.
                if call.name.hasPrefix("users.") { return .value(try JSON.text(ScriptTrial.user)) }
                guard call.name == "fetch" else { return .failure("'\(call.name.forDisplay)' needs a tenant") }
                return .value(try JSON.text(try await ScriptFetch(arguments).send(by: outbound)))
            } catch {
                return .failure("\(error)")
            }
        }
    }

    // MARK: What the script gets

    fileprivate static let user: JSONObject = [
        "user_id": "auth0|aaaaaaaaaaaaaaaaaaaaaaaa", "email": "ada@example.com", "email_verified": true,
        "name": "Ada Lovelace", "nickname": "ada", "picture": "https://example.com/ada.png", "app_metadata": [:],
        "user_metadata": [:],
        "identities": [
            [
                "provider": "auth0", "user_id": "aaaaaaaaaaaaaaaaaaaaaaaa",
                "connection": "Username-Password-Authentication", "isSocial": false,
            ]
        ],
    ]

    private static let sample: JSONObject = [
        "user": .object(user), "client": ["client_id": "app", "name": "App", "metadata": [:]],
        "connection": [
            "id": "con_0123456789abcdef", "name": "Username-Password-Authentication", "strategy": "auth0",
            "metadata": [:],
        ],
        "tenant": ["id": "login"], "stats": ["logins_count": 1], "authorization": ["roles": []],
        "authentication": ["methods": [["name": "pwd", "timestamp": "2026-01-01T12:00:00.000Z"]]],
        "request": [
            "method": "GET", "query": [:], "body": [:], "geoip": [:], "hostname": "login.example.com",
            "ip": "192.0.2.1", "user_agent": "Mozilla/5.0",
        ],
        "transaction": [
            "protocol": "oidc-basic-profile", "requested_scopes": ["openid", "profile", "email"], "metadata": [:],
        ],
        "accessToken": ["customClaims": [:], "scope": []], "configuration": [:],
    ]

    private static func rule(_ event: JSONObject) -> JSONObject {
        let context: JSONObject = [
            "tenant": "login", "clientID": "app", "clientName": "App", "clientMetadata": [:],
            "connection": "Username-Password-Authentication", "connectionStrategy": "auth0",
            "connectionOptions": [:], "connectionMetadata": [:], "samlConfiguration": [:],
            "protocol": "oidc-basic-profile", "stats": ["loginsCount": 1], "accessToken": [:], "idToken": [:],
            "authorization": ["roles": []], "authentication": ["methods": []],
            "sso": ["with_auth0": true, "with_dbconn": true, "current_clients": []],
            "request": ["query": [:], "body": [:], "geoip": [:], "ip": "192.0.2.1", "hostname": "login.example.com"],
        ]
        return [
            "user": .object(user.merging(event["user"]?.object ?? [:]) { $1 }),
            "context": .object(context.merging(event["context"]?.object ?? [:]) { $1 }),
            "configuration": event["configuration"] ?? [:],
            "auth0": ["domain": "login.example.com", "baseUrl": "https://login.example.com/api/v2"],
        ]
    }

    private func action(_ event: JSONObject, _ trigger: ActionTrigger, _ situation: Situation) -> JSONObject {
        [
            "event": .object(event), "trigger": .string(trigger.rawValue), "cache": [:],
            "secrets": .object(situation.secrets.mapValues(JSONValue.string)),
            "situation": [
                "canRedirect": true, "domain": "login.example.com", "rules": [], "returned": .null, "state": "state",
            ],
        ]
    }

    private static func scope(_ event: JSONObject) -> Scope {
        let requested = event["transaction"]?.object?["requested_scopes"]?.array?.compactMap(\.string)
        return Scope(requested ?? ["openid", "profile", "email"])
    }

    // MARK: What it has come to

    private func describe(
        _ ending: ScriptRuns.Ending, isRule: Bool, scope: Scope, in report: inout Report
    ) throws {
        var changes = ScriptChanges()
        for operation in ending.operations {
            changes.apply(operation)
            switch operation {
            case .deny(let code, let reason, let userMessage):
                report.isGood = false
                let told = userMessage.map { ", and tells the user: \($0.forDisplay)" } ?? ""
                report.lines.append("denies: \(code ?? "access_denied"): \(reason.forDisplay)\(told)")
            case .redirect(let url): report.lines.append("sends the user to \(url.forDisplay)")
            case .appMetadata(let name, let value):
                report.lines.append("app_metadata   \(try Self.line(name, value))")
            case .userMetadata(let name, let value):
                report.lines.append("user_metadata  \(try Self.line(name, value))")
            case .revoke(let holder, let reason, _):
                report.isGood = false
                report.lines.append("revokes the \(holder.member), and denies: \(reason.forDisplay)")
            case .cache, .transactionMetadata, .change, .factor, .finalFactor, .targetScope, .primaryUser, .method:
                report.lines.append(operation.title)
            default: break
            }
        }
        if isRule, report.isGood {
            let context = try JSONReader.object(ending.value.utf8)["context"] ?? .null
            let result = try RuleResult(context: context, title: "rule")
            changes = result.changes
            if result.factor != nil { report.lines.append("asks for a second factor") }
            if let url = result.redirect { report.lines.append("sends the user to \(url.forDisplay)") }
        }
        try describe(changes, scope: scope, in: &report)
    }

    private func describe(_ changes: ScriptChanges, scope: Scope, in report: inout Report) throws {
        for (token, claims) in [
            ("access token  ", changes.accessTokenClaims), ("ID token      ", changes.idTokenClaims),
        ] {
            let visible = ClaimNames.visible(claims, scope: scope)
            for (name, value) in claims.sorted(by: { $0.key < $1.key }) {
                let isLeftOut = visible[name] == nil
                report.lines.append(
                    isLeftOut
                        ? "\(token) (\(name.forDisplay) is left out: it is reserved, null, or not in the scope)"
                        : "\(token) \(try Self.line(name, value))")
            }
        }
        let changed = changes.scope(of: scope)
        for value in changed.values where !scope.contains(value) { report.lines.append("scope          + \(value)") }
        for value in scope.values where !changed.contains(value) { report.lines.append("scope          - \(value)") }
    }

    /// What the script wrote, line by line; what a terminal would obey is escaped as in JavaScript.
    private static func console(_ log: ScriptLog) -> [String] {
        let lines = log.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            line.unicodeScalars.reduce(into: "") { text, scalar in
                switch scalar.properties.generalCategory {
                case _ where scalar == "\t": text.unicodeScalars.append(scalar)
                case .control, .format, .lineSeparator, .paragraphSeparator:
                    text += "\\u{" + String(scalar.value, radix: 16) + "}"
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        return ["console \(log.level.forDisplay): \(lines.first ?? "")"] + lines.dropFirst().map { "    " + $0 }
    }

    private static func line(_ name: String, _ value: JSONValue) throws -> String {
        value == .null ? "- \(name.forDisplay)" : "+ \(name.forDisplay): \(try JSON.text(value).forDisplay)"
    }
}
