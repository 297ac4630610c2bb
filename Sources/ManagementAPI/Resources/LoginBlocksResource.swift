import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/user-blocks` and `/anomaly/blocks`: who is kept out after too many failures, and is let in again.
struct LoginBlocksResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("")
            .get(
                "user-blocks", requires: .read("users"), "Get blocks by identifier", answers: .object(Self.members),
                use: listByIdentifier
            )
            .delete("user-blocks", requires: .update("users"), "Unblock by identifier", use: removeByIdentifier)
            .get(
                "user-blocks/:id", requires: .read("users"), "Get a user's blocks", answers: .object(Self.members),
                use: list
            )
            .delete("user-blocks/:id", requires: .update("users"), "Unblock a user", use: remove)
            .get(
                "anomaly/blocks/ips/:ip", requires: .read("anomaly_blocks"), "Check if an IP address is blocked",
                answers: .nothing, use: address
            )
            .delete(
                "anomaly/blocks/ips/:ip", requires: .delete("anomaly_blocks"),
                "Remove the blocked IP address", use: removeAddress)
    }

    private static let members: Members = [
        "blocked_for": .list(["identifier": .text.always, "ip": .text, "connection": .text.always]).always
    ]

    struct Options: Payload {
        let isEnforced: Bool

        init(from document: inout Document) throws(Document.Problem) {
            isEnforced = try document.bool("consider_brute_force_enablement", default: false)
        }
    }

    struct ByIdentifier: Payload {
        let identifier: String
        let isEnforced: Bool

        init(from document: inout Document) throws(Document.Problem) {
            identifier = try document.requiredString("identifier", most: 320)
            isEnforced = try document.bool("consider_brute_force_enablement", default: false)
        }
    }

    struct Identifier: Payload {
        let identifier: String

        init(from document: inout Document) throws(Document.Problem) {
            identifier = try document.requiredString("identifier", most: 320)
        }
    }

    /// A name that somebody signs in with, and where.
    private typealias Name = (connection: String, identifier: String)

    @Sendable private func listByIdentifier(_ call: Query<ByIdentifier>) async throws -> Answer {
        try await answer(try await names(call.query.identifier), isEnforced: call.query.isEnforced)
    }

    @Sendable private func list(_ call: Query<Options>) async throws -> Answer {
        let names = try await names(ofUser: call["id"])
        return try await answer(names, isEnforced: call.query.isEnforced)
    }

    @Sendable private func removeByIdentifier(_ call: Query<Identifier>) async throws -> Answer {
        try await remove(
            try await names(call.query.identifier), of: call.query.identifier, call.caller)
    }

    @Sendable private func remove(_ call: Plain) async throws -> Answer {
        try await remove(try await names(ofUser: call["id"]), of: call["id"], call.caller)
    }

    @Sendable private func address(_ call: Plain) async throws -> Answer {
        let (bucket, now) = (try Self.bucket(call["ip"]), management.services.now())
        let isBlocked = try await management.stores.database.read { transaction in
            let throttling = try TenantSectionStore.find(SuspiciousIPThrottling.self, in: transaction)
            return try SuspiciousIPThrottling.Stage.allCases.contains { stage in
                guard let allowance = throttling.allowance(stage, call["ip"]) else { return false }
                return try RateLimitStore.isExhausted(stage.subject(bucket), allowance, at: now, in: transaction)
            }
        }
        guard isBlocked else {
            throw ManagementError(404, "The IP address is not blocked", "inexistent_ip")
        }
        return Answer(status: 200)
    }

    @Sendable private func removeAddress(_ call: Plain) async throws -> Answer {
        let (ip, bucket) = (call["ip"], try Self.bucket(call["ip"]))
        return try await management.write(call.caller) { transaction, _ in
            var wasCounted = false
            for stage in SuspiciousIPThrottling.Stage.allCases {
                wasCounted = try RateLimitStore.clear(stage.subject(bucket), in: transaction) || wasCounted
            }
            return Changed(
                .noContent, wasCounted ? [.init("anomaly-blocks", ip, before: ["ip": .string(ip)], after: nil)] : [])
        }
    }

    // MARK: Steps

    private func answer(_ names: [Name], isEnforced: Bool) async throws -> Answer {
        let blocks = try await LoginBlocks(services: management.services).list(names, isEnforced: isEnforced)
        return .ok([
            "blocked_for": .array(
                blocks.map { block in
                    var members: JSONObject = [
                        "identifier": .string(block.identifier), "connection": .string(block.connection),
                    ]
                    members["ip"] = block.address.map(JSONValue.string)
                    return .object(members)
                })
        ])
    }

    private func remove(_ names: [Name], of id: String, _ caller: Caller) async throws -> Answer {
        let blocks = try await LoginBlocks(services: management.services).list(names, isEnforced: false)
        return try await management.write(caller) { transaction, _ in
            try LoginBlocks.remove(names, in: transaction)
            return Changed(
                .noContent,
                blocks.isEmpty ? [] : [.init("user-blocks", id, before: ["blocked": true], after: ["blocked": false])])
        }
    }

    /// The names that a user, with all identities, signs in with.
    private func names(ofUser id: String) async throws -> [Name] {
        let users = try await management.stores.database.read { transaction -> [User] in
            guard let user = try UserStore.find(id, in: transaction) else { return [] }
            return [user] + (try UserStore.identities(of: [id], in: transaction)[id] ?? [])
        }
        guard !users.isEmpty else { throw UsersResource.inexistent }
        return users.flatMap { user in
            [user.email, user.username].compactMap(\.self).map { (user.connection, $0) }
        }
    }

    private func names(_ sent: String) async throws -> [Name] {
        let identifier = EmailAddress(sent)?.text ?? sent.lowercased()
        return try await management.stores.connections.list().filter(\.isDatabase).map { ($0.name, identifier) }
    }

    private static func bucket(_ ip: String) throws(ManagementError) -> String {
        guard let bytes = IPAddress.bytes(ip) else {
            throw .invalidPath(Document.Problem(path: "ip", message: "must be an IP address"))
        }
        return IPAddress.bucket(bytes)
    }
}
