import Foundation
import Logging
import OAuth
import Scripting
import Storage

/// Answers what scripts ask the server for while they run.
struct ScriptHostCalls: ScriptHost {
    let services: Services

    /// A call that gets no answer, and why.
    private struct Refusal: Error {
        let message: String
    }

    func answer(_ call: ScriptCall) async -> ScriptAnswer {
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

    private func answer(_ name: String, _ arguments: JSONObject) async throws -> JSONValue {
        switch name {
        case "fetch": return try await ScriptFetch(arguments).send(by: services.outbound)
        case "users.get": return try await user(arguments)
        case "users.updateAppMetadata":
            var notes = UserNotes()
            for (name, value) in try metadata(arguments) { notes.noteApp(name, value) }
            return try await write(notes, arguments)
        case "users.updateUserMetadata":
            var notes = UserNotes()
            for (name, value) in try metadata(arguments) { notes.noteUser(name, value) }
            return try await write(notes, arguments)
        case "users.getRoles": return try await roles(arguments)
        case "users.assignRoles": return try await assignRoles(arguments)
        case "bcrypt.hash": return try await bcrypt(arguments)
        case "bcrypt.compare":
            let (password, hash) = (arguments["password"]?.string ?? "", arguments["hash"]?.string ?? "")
            guard PasswordHash.isSupported(hash) else { return false }
            return .bool(try await services.passwords.verify(password, against: hash))
        default: throw Refusal(message: "'\(name.forDisplay)' is not available")
        }
    }

    private func bcrypt(_ arguments: JSONObject) async throws -> JSONValue {
        let rounds = arguments["rounds"]?.integer ?? 10
        let hash = try await services.passwords.bcrypt(arguments["password"]?.string ?? "", rounds: rounds)
        guard let hash else { throw Refusal(message: "bcrypt: 4 to 12 rounds, and no password with a NUL") }
        return .string(hash)
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

    private func roles(_ arguments: JSONObject) async throws -> JSONValue {
        let id = try id(arguments)
        let found = try await services.stores.database.readOnce { try RoleStore.roles(of: id, in: $0) }
        return .array(
            found.map { role in
                ["id": .string(role.id), "name": .string(role.name), "description": .string(role.description ?? "")]
            })
    }

    private func assignRoles(_ arguments: JSONObject) async throws -> JSONValue {
        let (id, roles) = (try id(arguments), arguments["roles"]?.array?.compactMap(\.string) ?? [])
        guard !roles.isEmpty, roles.count <= 50 else { throw Refusal(message: "roles must be 1 to 50 ids of roles") }
        do {
            try await services.stores.database.write { transaction in
                for role in roles { try RoleStore.assign(roleID: role, to: id, in: transaction) }
            }
        } catch SQLError.foreignKeyViolation {
            throw Refusal(message: "There is no such user, or no such role.")
        }
        return .null
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

    private func write(_ notes: UserNotes, _ arguments: JSONObject) async throws -> JSONValue {
        guard let user = try await notes.write(to: id(arguments), services) else {
            throw Refusal(message: "The user does not exist.")
        }
        return .object(ScriptUser.action(user, identities: []))
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
