import Foundation
import OAuth
import Scripting
import Storage

/// The scripts of one custom database, for one thing that somebody does: they run one after the other within one budget, and
/// the log tells of them together. No transaction may be open meanwhile.
struct DatabaseScripts {
    private let services: Services
    private let connection: Connection
    private let database: CustomDatabase
    private let setting: Setting
    private var runs: ScriptRuns
    private var input: JSONObject?

    /// For whom and what the scripts run, which is their `context`.
    struct Setting: Sendable {
        /// The application; nil where there is none.
        var client: Client?
        /// The organization that somebody signs in to; nil for none.
        var organization: Organization?
        let trail: LogTrail

        init(client: Client? = nil, organization: Organization? = nil, trail: LogTrail) {
            (self.client, self.organization, self.trail) = (client, organization, trail)
        }
    }

    private init(_ services: Services, _ connection: Connection, _ database: CustomDatabase, _ setting: Setting) {
        (self.services, self.connection, self.database, self.setting) = (services, connection, database, setting)
        runs = ScriptRuns(services: services, share: .network)
    }

    /// Runs scripts, and tells the log of them.
    /// - Throws: ``FailedScript`` where one fails or is missing, and what `body` throws.
    static func run<Result: Sendable>(
        of database: CustomDatabase, _ connection: Connection, _ setting: Setting, _ services: Services,
        _ body: (inout DatabaseScripts) async throws -> Result
    ) async throws -> Result {
        var scripts = DatabaseScripts(services, connection, database, setting)
        do {
            let result = try await body(&scripts)
            scripts.runs.log(setting.trail)
            return result
        } catch {
            scripts.runs.log(setting.trail, failure: error)
            throw error
        }
    }

    // MARK: What they are asked

    /// Who has this name and password.
    /// - Returns: nil where the password is wrong or nobody has the name.
    /// - Throws: ``FailedScript``.
    mutating func login(_ identifier: String, password: String) async throws -> DatabaseProfile? {
        switch try await run(.login, [.string(identifier), .string(password)]) {
        case .values(let values): return try profile(values, of: .login)
        case .refused: return nil
        }
    }

    /// Who has this name.
    /// - Returns: nil for nobody.
    /// - Throws: ``FailedScript``.
    mutating func user(_ identifier: String) async throws -> DatabaseProfile? {
        switch try await run(.getUser, [.string(identifier)]) {
        case .values(let values): return try profile(values, of: .getUser)
        case .refused(let refusal): throw failure(.getUser, refusal)
        }
    }

    /// Makes a user.
    /// - Returns: false where there is one already.
    /// - Throws: ``FailedScript``.
    mutating func create(_ user: JSONObject) async throws -> Bool {
        switch try await run(.create, [.object(user)]) {
        case .values(let values):
            guard values.first != .bool(false) else { throw denied(.create) }
            return true
        case .refused(let refusal) where refusal.code == "user_exists": return false
        case .refused(let refusal): throw failure(.create, refusal)
        }
    }

    /// Has something changed, and only believes a script that says so: `callback(null, true)`.
    /// - Throws: ``FailedScript``.
    mutating func change(_ script: CustomDatabase.Script, _ arguments: [JSONValue]) async throws {
        switch try await run(script, arguments) {
        case .values(let values):
            guard values.first?.isTruthy == true else { throw denied(script) }
        case .refused(let refusal): throw failure(script, refusal)
        }
    }

    /// Has a user removed.
    /// - Parameter id: the user's id here.
    /// - Throws: ``FailedScript``.
    mutating func delete(_ id: String) async throws {
        switch try await run(.delete, [.string(String(id.drop { $0 != "|" }.dropFirst()))]) {
        case .values(let values):
            guard values.first != .bool(false) else { throw denied(.delete) }
        case .refused(let refusal): throw failure(.delete, refusal)
        }
    }

    // MARK: How

    /// What a script called back with.
    private enum Answer {
        /// What stood behind the `null`.
        case values([JSONValue])
        /// One of Auth0's errors that are answers.
        case refused(Refusal)
    }

    private struct Refusal {
        let name: String
        let code: String?
        let message: String
    }

    private mutating func run(_ script: CustomDatabase.Script, _ arguments: [JSONValue]) async throws -> Answer {
        guard let source = database.source(of: script) else {
            throw FailedScript(
                title(script),
                cause: "the connection has no script \(script.rawValue); add it as "
                    + "options.\(CustomDatabase.option).\(script.rawValue)")
        }
        runs.secrets = [arguments.dropFirst().first?.string, arguments.first?.object?["password"]?.string]
            .compactMap(\.self)
        var input = try await common()
        input["arguments"] = .array(arguments)
        let ending = try await runs.run(
            .database, title: title(script), source: source, entry: script.rawValue, input: input)
        let value: JSONValue
        do throws(JSONReader.Problem) {
            value = try JSONReader.value(ending.value.utf8)
        } catch {
            throw FailedScript(title(script), cause: "its answer cannot be read: \(error.description)")
        }
        if let values = value.array { return .values(values) }
        guard let refusal = value.object, let name = refusal["error"]?.string else {
            throw FailedScript(title(script), cause: "it gave nothing back")
        }
        return .refused(
            Refusal(
                name: name, code: refusal["code"]?.string,
                message: (refusal["message"]?.string ?? "").hiding(runs.secrets)))
    }

    /// What every script gets.
    private mutating func common() async throws -> JSONObject {
        if let input { return input }
        let configuration: JSONObject
        do {
            configuration = try await services.databaseConfiguration(of: connection)
        } catch let error as SQLError {
            throw error
        } catch {
            throw FailedScript(
                title(.login),
                cause: "options.configuration cannot be opened: it was sealed with another secret; set it again")
        }
        let made: JSONObject = [
            "configuration": .object(configuration),
            "usesContext": .bool(database.usesContext), "context": .object(context),
        ]
        input = made
        return made
    }

    private var context: JSONObject {
        var members: JSONObject = [
            "tenant": ["id": .string(services.issuer.scriptTenant)],
            "connection": PostLoginEvent.connection(connection, name: connection.name),
        ]
        members["client"] = setting.client.map(PostLoginEvent.client)
        members["organization"] = setting.organization.map { organization in
            [
                "id": .string(organization.id), "name": .string(organization.name),
                "display_name": .string(organization.displayName ?? organization.name),
                "metadata": .object(organization.metadata.mapValues(JSONValue.string)),
            ]
        }
        if let ip = RequestOrigin.current?.ip { members["request"] = ["ip": .string(ip)] }
        return members
    }

    private func title(_ script: CustomDatabase.Script) -> String {
        "database script \(script.rawValue) (\(connection.name.forDisplay))"
    }

    private func profile(_ values: [JSONValue], of script: CustomDatabase.Script) throws -> DatabaseProfile? {
        guard let value = values.first, value != .null, value != .bool(false) else { return nil }
        do throws(DatabaseProfile.Problem) {
            return try DatabaseProfile(value)
        } catch {
            throw FailedScript(title(script), cause: error.description)
        }
    }

    private func denied(_ script: CustomDatabase.Script) -> FailedScript {
        FailedScript(
            title(script),
            cause: "it did not say that it was done; a script that has done it calls callback(null, true)")
    }

    private func failure(_ script: CustomDatabase.Script, _ refusal: Refusal) -> FailedScript {
        let code = refusal.code.map { " (\($0.forDisplay))" } ?? ""
        return FailedScript(title(script), cause: "\(refusal.name.forDisplay)\(code): \(refusal.message.forDisplay)")
    }
}

extension JSONValue {
    /// Whether JavaScript takes it for true.
    fileprivate var isTruthy: Bool {
        switch self {
        case .null, .bool(false), .string(""), .integer(0): false
        default: true
        }
    }
}

extension Services {
    /// What a connection's scripts read as `configuration`.
    func databaseConfiguration(of connection: Connection) async throws -> JSONObject {
        guard let sealed = try await stores.connections.sealedSecrets(of: connection.name) else { return [:] }
        let secrets = try JSON.decode(JSONObject.self, from: secret.box.open(sealed))
        return secrets[CustomDatabase.configuration]?.object ?? [:]
    }
}
