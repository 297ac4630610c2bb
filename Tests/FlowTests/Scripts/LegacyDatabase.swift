import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import Synchronization
import TestSupport

/// A user database behind an HTTP API, as somebody had one before: it keeps passwords, and knows nothing of this server.
final class LegacyDatabase: OutboundHTTP {
    struct Row: Sendable {
        var id: String
        var email: String
        var password: String
        var username: String?
        var isVerified = false
        /// Further members of the profile; they replace the others.
        var profile: JSONObject = [:]
    }

    private struct State {
        var rows: [Row] = []
        var asked: [String] = []
        var status: Int?
        var before: (@Sendable (String) async throws -> Void)?
    }

    static let key = "key-of-the-legacy-api"
    private let state: Mutex<State>

    init(_ rows: Row...) { state = Mutex(State(rows: rows)) }

    var rows: [Row] { state.withLock { $0.rows } }
    /// The paths that were asked, in their order.
    var asked: [String] { state.withLock { $0.asked } }

    func change(_ id: String, _ body: (inout Row) -> Void) {
        state.withLock { state in
            guard let index = state.rows.firstIndex(where: { $0.id == id }) else { return }
            body(&state.rows[index])
        }
    }

    /// Answers everything with a status; nil ends that.
    func fail(_ status: Int?) { state.withLock { $0.status = status } }

    /// Does something once a path has been looked up, and before the answer arrives.
    func interrupt(_ body: (@Sendable (String) async throws -> Void)?) { state.withLock { $0.before = body } }

    func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        guard request.url.hasPrefix("https://legacy.example.com/"), case .custom(_, let body) = request.method else {
            throw OutboundFailure(.unknownHost, "no such host", mend: "Ask the legacy database.")
        }
        let path = String(request.url.dropFirst("https://legacy.example.com/".count))
        let sent = (try? JSON.decode(JSONObject.self, from: body ?? Data())) ?? [:]
        let isKnown = request.headers.contains { $0.name.lowercased() == "x-api-key" && $0.value == Self.key }
        let (status, answer, before) = state.withLock { state in
            state.asked.append(path)
            let found = isKnown ? Self.answer(path, sent, &state) : (403, [:])
            return (found.0, found.1, state.before)
        }
        try? await before?(path)
        return OutboundResponse(
            status: status, body: Data(((try? JSON.text(answer)) ?? "").utf8), contentType: "application/json")
    }

    private static func answer(_ path: String, _ sent: JSONObject, _ state: inout State) -> (Int, JSONObject) {
        if let status = state.status { return (status, [:]) }
        let name = sent["email"]?.string ?? ""
        let index = state.rows.firstIndex { row in
            row.id == sent["id"]?.string || row.email == name || row.username != nil && row.username == name
        }
        switch (path, index) {
        case ("login", let index?) where .string(state.rows[index].password) == sent["password"]:
            return (200, profile(state.rows[index]))
        case ("login", _): return (401, [:])
        case ("user", let index?): return (200, profile(state.rows[index]))
        case ("create", nil):
            var row = Row(id: "new-\(state.rows.count)", email: name, password: sent["password"]?.string ?? "")
            row.username = sent["username"]?.string
            row.profile["user_metadata"] = sent["user_metadata"]
            state.rows.append(row)
            return (200, [:])
        case ("create", _): return (409, [:])
        case ("verify", let index?): state.rows[index].isVerified = true
        case ("password", let index?): state.rows[index].password = sent["password"]?.string ?? ""
        case ("email", let index?):
            state.rows[index].email = sent["newEmail"]?.string ?? ""
            state.rows[index].isVerified = sent["verified"]?.bool ?? false
        case ("delete", let index?): state.rows.remove(at: index)
        default: return (404, [:])
        }
        return (200, [:])
    }

    private static func profile(_ row: Row) -> JSONObject {
        var members: JSONObject = [
            "user_id": .string(row.id), "email": .string(row.email), "email_verified": .bool(row.isVerified),
            "nickname": "legacy",
        ]
        members["username"] = row.username.map(JSONValue.string)
        return members.merging(row.profile) { $1 }
    }

    // MARK: Its scripts

    private static func script(_ name: String, _ parameters: String, _ path: String, _ body: String) -> String {
        """
        async function \(name)(\(parameters), callback) {
          const answer = await fetch('https://legacy.example.com/\(path)', {
            method: 'POST', headers: { 'X-API-Key': configuration.KEY }, body: JSON.stringify({ \(body) }),
          });
          if (answer.status === 401) return callback(new WrongUsernameOrPasswordError(email, 'wrong'));
          if (answer.status === 409) return callback(new ValidationError('user_exists', 'taken'));
          if (answer.status === 404) return callback(null);
          if (answer.status !== 200) return callback(new Error('the legacy database answers ' + answer.status));
          callback(null, \(["login", "user"].contains(path) ? "await answer.json()" : "true"));
        }
        """
    }

    /// Every script, by Auth0's names.
    static let scripts: [String: String] = [
        "login": script("login", "email, password", "login", "email, password"),
        "get_user": script("getUser", "email", "user", "email"),
        "create": script(
            "create", "user", "create",
            "email: user.email, password: user.password, username: user.username, user_metadata: user.user_metadata"),
        "verify": script("verify", "email", "verify", "email"),
        "change_password": script("changePassword", "email, newPassword", "password", "email, password: newPassword"),
        "change_email": script("changeEmail", "email, newEmail, verified", "email", "email, newEmail, verified"),
        "delete": script("remove", "id", "delete", "id"),
    ]

    /// The usual tenant, whose database is asked by scripts.
    /// - Parameter changes: scripts that are others; nil for one that is missing.
    static func fixtures(imports: Bool = false, _ changes: [String: String?] = [:]) -> Fixtures {
        var fixtures = PasswordGrantTests.fixtures()
        var scripts = scripts.mapValues(JSONValue.string)
        for (name, script) in changes { scripts[name] = script.map(JSONValue.string) }
        fixtures.users = []
        fixtures.connections[0].options["enabledDatabaseCustomization"] = true
        fixtures.connections[0].options["import_mode"] = .bool(imports)
        fixtures.connections[0].options["customScripts"] = .object(scripts)
        fixtures.connectionSecrets[Connection.database.name] = ["configuration": ["KEY": .string(key)]]
        return fixtures
    }

    static let ada = Row(id: "1", email: "ada@example.com", password: User.adaPassword)

    /// Runs a server over a legacy database with ada@example.com.
    static func run(
        imports: Bool = false, _ changes: [String: String?] = [:], fixtures change: (inout Fixtures) -> Void = { _ in },
        _ body: @Sendable (TestServer, LegacyDatabase) async throws -> Void
    ) async throws {
        let database = LegacyDatabase(ada)
        var fixtures = fixtures(imports: imports, changes)
        change(&fixtures)
        try await ScriptedTenant.run(fixtures, outbound: database) { try await body($0, database) }
    }
}

extension TestServer {
    /// Signs in on the page.
    func pageLogin(_ name: String = "ada@example.com", _ password: String = User.adaPassword) async throws
        -> (status: Int, isIn: Bool, text: String)
    {
        let browser = TestBrowser(self)
        let answer = try await browser.logIn(
            try await browser.get(RelyingParty.regularWebApp(self).authorizationURL()), email: name, password: password)
        return (answer.status.code, answer.location?.hasPrefix(Client.callback) == true, answer.text)
    }

    /// The user and the hash that are kept here.
    func kept(_ name: String = "ada@example.com") async throws -> (user: User, passwordHash: String?)? {
        try await services.stores.users.find(connection: Connection.database.name, identifier: name)
    }

    /// What the log says of the last failed script.
    func scriptFailure() async throws -> String? {
        try await logEvents().last { $0.type == "actions_execution_failed" }?.description
    }
}
