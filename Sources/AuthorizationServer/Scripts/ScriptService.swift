import OAuth
import Scripting
import Storage

/// Whether rules and actions can run at all, for whoever sets them up.
package struct ScriptService: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Runs a script that does nothing.
    /// - Returns: why none can run; nil where they can.
    package func problem() async -> String? {
        let run = ScriptRun(
            kind: .action, name: "check", source: "exports.onExecutePostLogin = async () => {};",
            entry: "onExecutePostLogin",
            input: #"{"event":{},"trigger":"post-change-password","secrets":{},"cache":{},"situation":{}}"#,
            modules: [:])
        switch await services.scripts.run(run, host: NoScriptHost()).end {
        case .returned, .busy: return nil
        case .unavailable(let reason), .crashed(let reason): return reason
        case .threw(let failure): return failure.message
        case .exceeded(let limit): return "a script that does nothing used up its \(limit.rawValue)"
        case .neverSettled: return "a script that does nothing did not end"
        }
    }

    /// The modules that a custom database's scripts ask for by name, and that `require` does not find, by script.
    package func missingModules(of database: CustomDatabase) -> [String: [String]] {
        let folder = services.scripts.modules
        return Self.missingModules(of: database) { (try? folder.find($0, from: nil)) != nil }
    }

    /// As ``missingModules(of:)``, of a server without folders of packages.
    package static func missingModules(
        of database: CustomDatabase, besides isThere: (String) -> Bool = { _ in false }
    ) -> [String: [String]] {
        var missing: [String: [String]] = [:]
        for script in database.scripts {
            let wanted = (database.source(of: script) ?? "").matches(of: /\brequire\(\s*(?:'([^']+)'|"([^"]+)")\s*\)/)
                .map { String($0.1 ?? $0.2 ?? "") }
            let names = Set(wanted).filter { !ScriptModules.contains($0) && !isThere($0) }
            if !names.isEmpty { missing[script.rawValue] = names.sorted() }
        }
        return missing
    }

    /// Reads the scripts of a custom database without running them.
    /// - Parameter known: the connection as it is; what has not changed is not read again. nil for a new one.
    /// - Throws: ``Document/Problem`` for the first that is no function, with the line where that is known. Where no script
    ///   can run nothing is said of them.
    package func check(_ options: JSONObject, replacing known: Connection?) async throws {
        let present = known?.options[CustomDatabase.option]?.object ?? [:]
        for (name, script) in (options[CustomDatabase.option]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let source = script.string, !source.isEmpty, present[name] != script else { continue }
            let run = ScriptRun(
                kind: .database, name: "database script \(name.forDisplay)", source: source, entry: name,
                input: #"{"isTrial":true,"arguments":[]}"#, limits: services.scripts.limits)
            guard case .threw(let failure) = await services.scripts.run(run, host: NoScriptHost()).end else { continue }
            let line = failure.line.map { "line \($0): " } ?? ""
            throw Document.Problem(
                path: "options.\(CustomDatabase.option).\(name.forDisplay)",
                message: "\(line)\(failure.name.forDisplay): \(failure.message.forDisplay)")
        }
    }
}

extension ActionTrigger {
    /// Whether the server runs what is bound there.
    package var isRun: Bool {
        switch self {
        case .postLogin, .credentialsExchange, .preUserRegistration, .postUserRegistration, .postChangePassword: true
        default: false
        }
    }
}
