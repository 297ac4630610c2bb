import AuthorizationServer
import Foundation
import OAuth
import Scripting
import Storage
import Web

/// The checks of `portico doctor`.
struct Checkup {
    let workspace: Workspace

    typealias Finding = DoctorCommand.Finding

    static func configuration(_ configuration: ServerConfiguration) -> [Finding] {
        var findings = [Finding(grade: .good, text: "configuration: issuer \(configuration.issuer)")]
        if !configuration.issuer.isSecure, !configuration.isDevelopment {
            findings.append(
                Finding(
                    grade: .bad,
                    text:
                        "the issuer is http in production: tokens and cookies travel in clear. Put https in front, and "
                        + "set PORTICO_ISSUER to the https address"))
        }
        return findings
    }

    func findings() async throws -> [Finding] {
        try await folder() + database() + keys() + clock() + clients() + connections() + scripts()
            + sandbox()
    }

    private func folder() -> [Finding] {
        let file = workspace.configuration.data.appending(path: "secret").path(percentEncoded: false)
        guard workspace.configuration.secret == nil else {
            return [Finding(grade: .good, text: "secret: from PORTICO_SECRET")]
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: file))?[.posixPermissions] as? Int ?? 0o777
        guard mode & 0o077 == 0 else {
            return [Finding(grade: .bad, text: "secret: others can read \(file). Mend with: chmod 600 \(file)")]
        }
        if workspace.configuration.database != nil {
            return [
                Finding(
                    grade: .warning,
                    text:
                        "secret: \(file), on this node only. Every node on the database needs the same, and so does a "
                        + "backup: set PORTICO_SECRET to what the file holds")
            ]
        }
        return [Finding(grade: .good, text: "secret: \(file), readable by its owner only")]
    }

    private func database() async throws -> [Finding] {
        let stores = workspace.stores
        let version = try await Migrations.version(of: stores.database)
        try await stores.failedLogins.tryWriting()
        let finding = Finding(grade: .good, text: "database: schema \(version), readable and writable")
        guard let database = stores.database as? PostgresDatabase, let address = workspace.configuration.database else {
            return [finding]
        }
        let checkup = PostgresCheckup(
            facts: try await database.facts(now: { Date() }), address: address,
            isDevelopment: workspace.configuration.isDevelopment)
        return [finding] + checkup.findings()
    }

    private func keys() async throws -> [Finding] {
        let keys = try await workspace.stores.signingKeys.list()
        guard !keys.isEmpty else {
            return [Finding(grade: .warning, text: "keys: none yet; 'portico serve' makes the first two")]
        }
        do {
            let ring = try await workspace.services.configuration.keyRing()
            let age = Int(Date().timeIntervalSince(ring.current.createdAt) / 86_400)
            let algorithms = try await workspace.stores.tenant.settings().signingAlgorithms.values
            if let missing = algorithms.first(where: { (try? ring.current(for: $0)) == nil }) {
                return [
                    Finding(
                        grade: .bad,
                        text: "keys: none for \(missing.rawValue), which signing_algorithms has; start 'portico serve' "
                            + "again, which makes them")
                ]
            }
            let names = algorithms.map(\.rawValue).joined(separator: ", ")
            return age > 365
                ? [Finding(grade: .warning, text: "keys: the current one is \(age) days old; run portico keys rotate")]
                : [
                    Finding(
                        grade: .good,
                        text: "keys: \(ring.keys.count) for \(names), the current one is \(age) days old")
                ]
        } catch {
            return [Finding(grade: .bad, text: "keys: \(error)")]
        }
    }

    /// A clock that runs behind what was written before issues tokens that others find not yet valid.
    private func clock() async throws -> [Finding] {
        let newest = try await workspace.stores.signingKeys.list().map(\.createdAt).max() ?? .distantPast
        guard newest <= Date(timeIntervalSinceNow: 60) else {
            return [
                Finding(
                    grade: .bad,
                    text: "clock: it says \(Date().formatted(.iso8601)), but a key was made at "
                        + "\(newest.formatted(.iso8601)). Set the clock (timedatectl set-ntp true)")
            ]
        }
        return [Finding(grade: .good, text: "clock: \(Date().formatted(.iso8601))")]
    }

    private func clients() async throws -> [Finding] {
        let clients = try await workspace.stores.clients.list()
        guard !clients.isEmpty else {
            return [Finding(grade: .warning, text: "applications: none; apply a tenant file: portico apply FILE")]
        }
        let problems = clients.flatMap { Self.problems(of: $0, workspace.configuration) }
        return problems.isEmpty
            ? [Finding(grade: .good, text: "applications: \(clients.count), callback URLs in order")] : problems
    }

    /// What keeps the client from showing its certificate.
    private static func certificateProblems(
        of client: Client, _ configuration: ServerConfiguration
    ) -> [Finding] {
        let method = client.tokenEndpointAuthMethod
        let setting: Setting
        if method.usesCertificate || client.keys.mutualTLS.bindsAccessTokens, configuration.clientCertificates == nil {
            setting = .clientCertificateHeader
        } else if method == .tlsClientAuth, configuration.clientCertificates?.hasVerdict != true {
            setting = .clientCertificateVerifiedHeader
        } else {
            return []
        }
        return [
            Finding(
                grade: .bad,
                text:
                    "\(client.name): it needs the certificate of its connection, and the server is not told where its "
                    + "proxy says that; set \(setting.environmentVariable) (\(setting.rawValue))")
        ]
    }

    private static func problems(of registered: RegisteredClient, _ configuration: ServerConfiguration) -> [Finding] {
        let client = registered.client
        var findings: [Finding] = []
        if client.grantTypes.contains(.authorizationCode), client.callbacks.isEmpty, client.appType != .nonInteractive {
            findings.append(
                Finding(
                    grade: .warning,
                    text: "\(client.name): no callback URL, so nobody can sign in to it; set callbacks"))
        }
        if client.usesSecret, registered.secretDigest == nil {
            findings.append(
                Finding(grade: .bad, text: "\(client.name): it has no secret; set client_secret in the tenant file"))
        }
        findings += certificateProblems(of: client, configuration)
        for callback in client.callbacks {
            let uri = RedirectURI(callback.text)
            if uri?.scheme == "http", uri?.isLoopback == false {
                findings.append(
                    Finding(
                        grade: configuration.isDevelopment ? .warning : .bad,
                        text: "\(client.name): the callback \(callback.text) is http: codes travel in clear; use https")
                )
            }
            if callback.text.contains("*"), !configuration.isDevelopment {
                findings.append(
                    Finding(
                        grade: .warning,
                        text:
                            "\(client.name): the callback \(callback.text) has a wildcard: every host that it matches "
                            + "can receive codes; list the hosts"))
            }
        }
        return findings
    }

    private func scripts() async throws -> [Finding] {
        let titles = try await scriptTitles()
        let listed = titles.isEmpty ? [] : [Finding(grade: .good, text: "scripts: \(titles.joined(separator: ", "))")]
        return listed + (try await databaseScripts())
    }

    /// What the tenant's scripts are called.
    private func scriptTitles() async throws -> [String] {
        let (due, connections) = try await workspace.stores.database.read { transaction in
            (
                try DueScripts(in: transaction).at(ActionTrigger.allCases),
                try ConnectionStore.list(in: transaction).filter { $0.profileScript != nil }
            )
        }
        return due.map(\.title) + connections.map(ProfileScript.title)
    }

    /// The databases that are asked by scripts, and what these do without.
    private func databaseScripts() async throws -> [Finding] {
        let service = ScriptService(services: workspace.services)
        return try await workspace.stores.connections.list().compactMap { connection in
            guard let database = CustomDatabase(connection: connection) else { return nil }
            let manner = database.imports ? "users come over by" : "users are in another database, asked by"
            let name = "database \(connection.name): \(manner) its scripts"
            let scripts = database.scripts.map(\.rawValue).joined(separator: ", ")
            guard database.source(of: .login) != nil else {
                return Finding(grade: .bad, text: "\(name) \(scripts); there is no script login, so nobody can sign in")
            }
            let missing = service.missingModules(of: database).sorted { $0.key < $1.key }
            guard missing.isEmpty else {
                let wanted = missing.map { "\($0.key) (\($0.value.joined(separator: ", ").forDisplay))" }
                return Finding(
                    grade: .bad,
                    text: "\(name) \(scripts); there are no such modules for \(wanted.joined(separator: ", "))")
            }
            return Finding(grade: .good, text: "\(name) \(scripts)")
        }
    }

    /// Whether scripts can run, and what keeps them inside.
    private func sandbox() async throws -> [Finding] {
        let isNeeded = try await !scripts().isEmpty
        switch await workspace.scripts.check() {
        case .success(let report):
            let missing = report.layers.compactMap { layer in layer.problem.map { "\(layer.name) (\($0))" } }
            let holding = report.layers.filter { $0.problem == nil }.map(\.name).joined(separator: ", ")
            let text = "sandbox for scripts: \(holding); \(report.memory >> 20) MB for each worker, by \(report.engine)"
            return missing.isEmpty
                ? [Finding(grade: .good, text: text)]
                : [Finding(grade: .warning, text: text + ". Not here: " + missing.joined(separator: ", "))]
        case .failure(let failure):
            return [
                Finding(grade: isNeeded ? .bad : .warning, text: "sandbox for scripts: none. \(failure.reason)")
            ]
        }
    }

    private func connections() async throws -> [Finding] {
        let connections = try await workspace.stores.connections.list()
        guard connections.contains(where: { !$0.enabledClients.isEmpty }) else {
            return [
                Finding(
                    grade: .warning,
                    text: "connections: none is enabled for an application, so nobody can sign in; set enabled_clients")
            ]
        }
        return [Finding(grade: .good, text: "connections: \(connections.map(\.name).joined(separator: ", "))")]
    }
}
