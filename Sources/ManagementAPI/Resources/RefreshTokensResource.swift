import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/refresh-tokens`, `/users/{id}/refresh-tokens` and `/device-credentials`: what applications can go on with when
/// their users are away. The id is that of all tokens that follow from one authorization.
struct RefreshTokensResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("")
            .get(
                "refresh-tokens/:token", requires: .read("refresh_tokens"), "Get a refresh token",
                answers: .object(Self.members), use: get
            )
            .get(
                "refresh-tokens", requires: .read("refresh_tokens"), "Get refresh tokens",
                answers: .window("refresh_tokens", Self.members), use: search
            )
            .patch(
                "refresh-tokens/:token", requires: .update("refresh_tokens"), "Update a refresh token",
                answers: .object(Self.members), use: update
            )
            .post(
                "refresh-tokens/revoke", requires: .delete("refresh_tokens"), "Revoke refresh tokens", status: 202,
                answers: .nothing, use: revoke
            )
            .delete(
                "refresh-tokens/:token", requires: .delete("refresh_tokens"), "Delete a refresh token", status: 202,
                use: delete
            )
            .get(
                "users/:id/refresh-tokens", requires: .read("refresh_tokens"), "Get refresh tokens for a user",
                answers: .window("tokens", Self.members), use: list
            )
            .delete(
                "users/:id/refresh-tokens", requires: .delete("refresh_tokens"), "Delete refresh tokens for a user",
                status: 202, use: deleteAll
            )
            .get(
                "device-credentials", requires: .read("device_credentials"), "Retrieve device credentials",
                answers: .page("device_credentials", Self.deviceMembers), use: devices
            )
            .delete(
                "device-credentials/:token",
                requires: .delete("device_credentials").or(.delete("current_user_device_credentials")),
                "Delete a device credential", use: deleteDevice)
    }

    static let members: Members = [
        "id": .text.always, "user_id": .text.always, "client_id": .text.always, "session_id": .text.orNull,
        "rotating": .bool, "created_at": .text, "last_exchanged_at": .text.orNull, "expires_at": .text.orNull,
        "idle_expires_at": .text.orNull, "resource_servers": .list(["audience": .text, "scopes": .text]),
        "refresh_token_metadata": .anyObject, "device": .anyObject,
    ]

    static let deviceMembers: Members = [
        "id": .text.always, "user_id": .text, "client_id": .text, "device_name": .text, "type": .text,
    ]

    struct Pages: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
        }
    }

    struct Devices: Payload {
        let paging: Paging
        let fields: FieldSelection
        let userID: String
        let clientID: String?
        let type: Kind?

        enum Kind: String, CaseIterable {
            case publicKey = "public_key"
            case refreshToken = "refresh_token"
            case rotating = "rotating_refresh_token"
        }

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            fields = try FieldSelection(from: &document)
            userID = try document.requiredString("user_id", most: 255)
            clientID = try document.string("client_id", most: 255)
            type = try document.oneOf("type", Kind.self)
        }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let id = call["token"]
        return try await management.stores.database.read { transaction in
            guard let token = try RefreshTokenStore.find(id: id, in: transaction) else {
                throw ManagementError.inexistent("refresh_token", "refresh token")
            }
            return .ok(try Self.shown(token, transaction))
        }
    }

    @Sendable private func list(_ call: Query<Pages>) async throws -> Answer {
        let (id, checkpoint) = (call["id"], call.query.paging.checkpoint)
        let most = checkpoint?.take ?? call.query.paging.perPage
        return try await management.stores.database.read { transaction in
            let tokens = try RefreshTokenStore.list(
                of: id, after: checkpoint?.from ?? "", limit: most + 1, in: transaction)
            return try .window("tokens", tokens, most: most, next: \.family.id) { try Self.shown($0, transaction) }
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        try await delete(call["token"], call.caller, .accepted)
    }

    @Sendable private func deleteAll(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.write(call.caller) { transaction, now in
            let some = try RefreshTokenStore.list(of: id, limit: 1, in: transaction)
            try RefreshTokenStore.revokeAll(of: id, at: now, in: transaction)
            return Changed(
                .accepted, some.isEmpty ? [] : [.init("users", id, before: ["refresh_tokens": "some"], after: [:])])
        }
    }

    @Sendable private func devices(_ call: Query<Devices>) async throws -> Answer {
        let query = call.query
        let tokens = try await management.stores.database.read { transaction in
            try RefreshTokenStore.list(of: query.userID, clientID: query.clientID, limit: 1000, in: transaction)
        }
        let all = tokens.filter { token in
            query.type.map { $0 == (token.family.isRotating ? .rotating : .refreshToken) } ?? true
        }.map(Self.device)
        return .list("device_credentials", all, by: "id", query.paging) { query.fields.apply(to: $0) }
    }

    @Sendable private func deleteDevice(_ call: Plain) async throws -> Answer {
        let id = call["token"]
        if !call.has("delete:device_credentials") {
            let token = try await management.stores.database.read { try RefreshTokenStore.find(id: id, in: $0) }
            guard token == nil || token?.family.userID == call.caller.principal.user?.id else {
                throw ManagementError.insufficientScope(["delete:device_credentials"])
            }
        }
        return try await delete(id, call.caller, .noContent)
    }

    // MARK: Steps

    private func delete(_ id: String, _ caller: Caller, _ answer: Answer) async throws -> Answer {
        try await management.write(caller) { transaction, now in
            guard let token = try RefreshTokenStore.find(id: id, in: transaction) else { return Changed(answer, []) }
            try RefreshTokenStore.revoke(
                authorizationID: token.family.authorizationID, at: now, in: transaction)
            return Changed(answer, [.init("refresh-tokens", id, before: Self.device(token), after: nil)])
        }
    }

    /// A token as the API shows one.
    static func shown(_ token: IssuedRefreshToken, _ transaction: any SQLTransaction) throws -> JSONObject {
        let family = token.family
        let client = try ClientStore.find(family.clientID, in: transaction)?.client
        let standard = client?.refreshToken.idleLifetime.map { token.lastUsedAt.addingTimeInterval(Double($0)) }
        let idle = [standard, family.idleExpiresAt].compactMap(\.self).min()
        var members: JSONObject = [
            "id": .string(family.id), "user_id": .string(family.userID), "client_id": .string(family.clientID),
            "session_id": family.sid.isEmpty ? .null : .string(family.sid), "rotating": .bool(family.isRotating),
            "created_at": UserMembers.time(token.createdAt),
            "last_exchanged_at": token.lastUsedAt > token.createdAt ? UserMembers.time(token.lastUsedAt) : .null,
            "expires_at": family.expiresAt.map(UserMembers.time) ?? .null,
            "idle_expires_at": idle.map(UserMembers.time) ?? .null,
            "resource_servers": [
                ["audience": .string(family.audience ?? ""), "scopes": .string(family.scope.text)]
            ],
        ]
        if !token.metadata.isEmpty { members["refresh_token_metadata"] = .object(token.metadata) }
        let device = DeviceMembers.members(family.firstDevice, nil)
        if !device.isEmpty { members["device"] = .object(device) }
        return members
    }

    private static func device(_ token: IssuedRefreshToken) -> JSONObject {
        [
            "id": .string(token.family.id), "user_id": .string(token.family.userID),
            "client_id": .string(token.family.clientID), "device_name": "",
            "type": token.family.isRotating ? "rotating_refresh_token" : "refresh_token",
        ]
    }
}
