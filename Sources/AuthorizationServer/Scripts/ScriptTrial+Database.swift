import Foundation
import OAuth
import Scripting
import Storage

extension ScriptTrial {
    /// Runs a script of a custom database.
    func run(
        _ source: String, name: String, _ script: CustomDatabase.Script, _ situation: Situation
    ) async throws -> Report {
        var report = Report()
        guard let arguments = situation.event["arguments"]?.array else {
            report.lines = ["fails: the event has no \"arguments\", such as \(Self.arguments(script))"]
            report.isGood = false
            return report
        }
        let configuration = (situation.event["configuration"]?.object ?? [:])
            .merging(situation.secrets.mapValues(JSONValue.string)) { $1 }
        let input: JSONObject = [
            "arguments": .array(arguments), "configuration": .object(configuration),
            "context": situation.event["context"] ?? [:],
            "usesContext": .bool(situation.event["context"] != nil),
        ]
        let run = ScriptRun(
            kind: .database, name: name, source: source, entry: script.rawValue, input: try JSON.text(input),
            limits: limits)
        let result = await engine.run(run, host: Host(outbound: outbound, kind: .database))
        report.lines = result.logs.map { "console \($0.level.forDisplay): \($0.text.forDisplay)" }
        do {
            let ending = try ScriptRuns.ending(result, name, limits, at: nil)
            let value = try JSONReader.value(ending.value.utf8)
            if let refusal = value.object, let error = refusal["error"]?.string {
                let code = refusal["code"]?.string.map { " (\($0))" } ?? ""
                report.lines.append(
                    "answers: \(error.forDisplay)\(code.forDisplay): \((refusal["message"]?.string ?? "").forDisplay)")
                report.isGood = false
            } else {
                try describe(value.array?.first ?? .null, of: script, in: &report)
            }
        } catch {
            report.lines.append("fails: \((error as? FailedScript)?.cause ?? "\(error)")")
            report.isGood = false
        }
        report.lines.append(used(result))
        return report
    }

    private func describe(_ value: JSONValue, of script: CustomDatabase.Script, in report: inout Report) throws {
        switch (script, value) {
        case (.login, .null), (.getUser, .null):
            report.lines.append(script == .login ? "answers: nobody, as for a wrong password" : "answers: nobody")
            report.isGood = script == .getUser
        case (.login, _), (.getUser, _):
            let profile: DatabaseProfile
            do throws(DatabaseProfile.Problem) {
                profile = try DatabaseProfile(value)
            } catch {
                throw FailedScript("", cause: error.description)
            }
            let user = profile.user(of: Connection(id: "", name: "", strategy: "auth0"), at: .distantPast)
            report.lines.append("user           \(user.id)\(profile.isBlocked ? ", who is blocked" : "")")
            if let email = user.email {
                report.lines.append("email          \(email)\(user.isEmailVerified ? ", verified" : "")")
            }
            if let username = user.username { report.lines.append("username       \(username.forDisplay)") }
            for (label, members) in [
                ("profile       ", user.profile), ("user_metadata ", user.userMetadata),
                ("app_metadata  ", user.appMetadata),
            ] {
                for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                    report.lines.append("\(label) \(name.forDisplay): \(try JSON.text(value).forDisplay)")
                }
            }
        default: report.lines.append("answers: \(try JSON.text(value).forDisplay)")
        }
    }

    private static func arguments(_ script: CustomDatabase.Script) -> String {
        switch script {
        case .login: #"["ada@example.com", "password"]"#
        case .getUser, .verify: #"["ada@example.com"]"#
        case .create: #"[{"email": "ada@example.com", "password": "password"}]"#
        case .changePassword: #"["ada@example.com", "new password"]"#
        case .changeEmail: #"["ada@example.com", "lovelace@example.com", true]"#
        case .changeUsername: #"["ada", "lovelace"]"#
        case .delete: #"["1"]"#
        }
    }
}
