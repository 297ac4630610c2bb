import Foundation
import Logging
import OAuth
import Scripting
import Storage
import Synchronization

/// Answers what scripts ask the server for while they run.
struct ScriptHostCalls: ScriptHost {
    let services: Services
    /// What the script is, which says what it may ask for.
    let kind: ScriptRun.Kind
    /// What has come of the run's calls so far.
    let course = ScriptCallCourse()

    /// bcrypt for scripts has threads of its own: no script takes those that logins wait for.
    private static let passwords = PasswordHasher(threads: 2, limit: 32)
    private static let mostRounds = 10

    /// A call that gets no answer, and why.
    private struct Refusal: Error {
        let message: String
    }

    /// Why a kind of script does not get an answer to a call; nil where it may.
    static func refusal(of name: String, to kind: ScriptRun.Kind) -> String? {
        // Rules have these at Auth0 too, without credentials; an action is about the user who logs in.
        guard name.hasPrefix("users."), kind != .rule else { return nil }
        return "'\(name.forDisplay)' is for rules; use api.user.setAppMetadata or setUserMetadata, or send the request "
            + "to the Management API with fetch and a token for it"
    }

    func answer(_ call: ScriptCall) async -> ScriptAnswer {
        if let refusal = Self.refusal(of: call.name, to: kind) { return .failure(refusal) }
        do {
            let arguments = try JSON.decode(JSONObject.self, from: call.arguments)
            return .value(try JSON.text(try await answer(call.name, arguments)))
        } catch let refusal as Refusal {
            return .failure(refusal.message)
        } catch let failure as OutboundFailure {
            return .failure(failure.description)
        } catch let problem as JSONReader.Problem {
            return .failure("\(call.name.forDisplay): \(problem.description)")
        } catch let problem as ScriptOperation.Problem {
            return .failure(problem.description)
        } catch is PasswordHasher.Busy {
            return .failure("The server is busy with passwords; try again later.")
        } catch {
            services.logger.error("a script's call failed", metadata: ["call": "\(call.name)", "cause": "\(error)"])
            return .failure("The server could not do \(call.name.forDisplay); its log names the cause.")
        }
    }

    private func answer(_ call: String, _ arguments: JSONObject) async throws -> JSONValue {
        switch call {
        case "fetch": return try await ScriptFetch(arguments).send(by: services.outbound)
        case "users.get": return try await user(arguments)
        case "users.updateAppMetadata":
            var notes = UserNotes()
            for (name, value) in try metadata(arguments) { notes.noteApp(name, value) }
            return try await write(call, notes, arguments)
        case "users.updateUserMetadata":
            var notes = UserNotes()
            for (name, value) in try metadata(arguments) { notes.noteUser(name, value) }
            return try await write(call, notes, arguments)
        case "bcrypt.hash": return try await bcrypt(arguments)
        case "bcrypt.compare": return try await compare(arguments)
        default: throw Refusal(message: "'\(call.forDisplay)' is not available")
        }
    }

    private func bcrypt(_ arguments: JSONObject) async throws -> JSONValue {
        let rounds = arguments["rounds"]?.integer ?? 10
        try admitHash(rounds: rounds)
        let hash = try await Self.passwords.bcrypt(arguments["password"]?.string ?? "", rounds: rounds)
        guard let hash else { throw Refusal(message: "bcrypt: the password has a NUL, or is too long") }
        return .string(hash)
    }

    private func compare(_ arguments: JSONObject) async throws -> JSONValue {
        let (password, hash) = (arguments["password"]?.string ?? "", arguments["hash"]?.string ?? "")
        guard let rounds = hash.wholeMatch(of: /\$2[aby]\$([0-9]{2})\$[.\/A-Za-z0-9]{53}/).flatMap({ Int($0.1) }) else {
            return false
        }
        try admitHash(rounds: rounds)
        return .bool(try await Self.passwords.verify(password, against: hash))
    }

    private func admitHash(rounds: Int) throws {
        guard (4...Self.mostRounds).contains(rounds) else {
            throw Refusal(message: "bcrypt: 4 to \(Self.mostRounds) rounds")
        }
        guard course.admitsHash() else {
            throw Refusal(message: "bcrypt: a run has \(ScriptCallCourse.mostHashes) hashes and comparisons at most")
        }
    }

    private func id(_ arguments: JSONObject) throws -> String {
        guard let id = arguments["id"]?.string, !id.isEmpty else { throw Refusal(message: "The user's id is missing") }
        return id
    }

    private func user(_ arguments: JSONObject) async throws -> JSONValue {
        let id = try id(arguments)
        let found = try await services.stores.database.read { transaction in
            try UserStore.find(id, in: transaction).map { user in
                (user, try UserStore.identities(of: [id], in: transaction)[id] ?? [])
            }
        }
        guard let (user, identities) = found else { throw Refusal(message: "The user does not exist.") }
        return .object(ScriptUser.action(user, identities: identities))
    }

    private func metadata(_ arguments: JSONObject) throws -> JSONObject {
        guard let metadata = arguments["metadata"]?.object else {
            throw Refusal(message: "The metadata must be an object")
        }
        let value = JSONValue.object(metadata)
        guard !value.holdsNUL, !value.holdsPrototype, !metadata.keys.contains(where: { $0.contains(/[.$]/) }) else {
            throw Refusal(message: "Names in metadata must not have a '.' or '$', nor values the character NUL")
        }
        return metadata
    }

    private func write(_ name: String, _ notes: UserNotes, _ arguments: JSONObject) async throws -> JSONValue {
        let id = try id(arguments)
        guard let user = try await notes.write(to: id, services) else {
            throw Refusal(message: "The user does not exist.")
        }
        course.note("\(name) \(id.forDisplay)")
        return .object(ScriptUser.action(user, identities: []))
    }
}

/// What the calls of one run come to, which may overlap.
final class ScriptCallCourse: Sendable {
    /// bcrypt hashes of a run at most, made or compared.
    static let mostHashes = 4
    private let state = Mutex((hashes: 0, changes: [String]()))

    /// What the log says of users whom the run has changed.
    var changes: [String] { state.withLock { $0.changes } }

    func note(_ change: String) { state.withLock { $0.changes.append(change) } }

    /// Counts a hash where there may be one more.
    func admitsHash() -> Bool {
        state.withLock { state in
            guard state.hashes < Self.mostHashes else { return false }
            state.hashes += 1
            return true
        }
    }
}

/// A request of a script to somebody else's server.
struct ScriptFetch {
    private let request: OutboundRequest

    /// Bytes of an answer at most.
    private static let mostBytes = 1 << 20
    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    /// What the connection is about, and so not the script's.
    private static let forbidden: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect",
        "accept-encoding", "keep-alive", "proxy-connection",
    ]

    init(_ arguments: JSONObject) throws {
        func problem(_ text: String) -> ScriptOperation.Problem {
            ScriptOperation.Problem(description: "fetch: \(text)")
        }
        guard let url = arguments["url"]?.string else { throw problem("the URL is missing") }
        let method = (arguments["method"]?.string ?? "GET").uppercased()
        guard Self.methods.contains(method) else { throw problem("the method must be one of \(Self.methods)") }
        var headers: [(name: String, value: String)] = []
        for (name, value) in (arguments["headers"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard !Self.forbidden.contains(name.lowercased()) else { continue }
            guard name.wholeMatch(of: /[A-Za-z0-9#$%&'*+.^_`|~-]+/) != nil, let text = value.string,
                text.unicodeScalars.allSatisfy({ $0 == "\t" || (0x20...0x7E).contains($0.value) })
            else { throw problem("the header '\(name.forDisplay)' is none") }
            headers.append((name: name, value: text))
        }
        let body = arguments["body"]?.string.map { Data($0.utf8) }
        request = OutboundRequest(
            .custom(method, body: body), String(url.prefix { $0 != "#" }), mostBytes: Self.mostBytes, headers: headers)
    }

    func send(by outbound: any OutboundHTTP) async throws -> JSONValue {
        let response = try await outbound.send(request)
        var headers = response.headers
        headers["content-type"] = headers["content-type"] ?? response.contentType
        return [
            "status": .integer(Int64(response.status)), "headers": .object(headers.mapValues(JSONValue.string)),
            "body": .string(String(decoding: response.body, as: UTF8.self)),
        ]
    }
}
