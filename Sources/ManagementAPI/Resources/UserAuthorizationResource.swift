import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/users/{id}/roles` and `/permissions`: what a user may do.
struct UserAuthorizationResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("users/:id")
            .get(
                "roles", requires: .read("users", "roles", "role_members"), "Get a user's roles",
                answers: .page("roles", RolesResource.members), use: roles
            )
            .post(
                "roles", requires: .update("users").or(.create("role_members")), "Assign roles to a user", status: 204,
                answers: .nothing, use: assign
            )
            .delete(
                "roles", requires: .update("users").or(.delete("role_members")), "Remove roles from a user",
                use: withdraw
            )
            .get(
                "permissions", requires: .read("users"), "Get a user's permissions",
                answers: .page("permissions", Self.permissionMembers), use: permissions
            )
            .post(
                "permissions", requires: .update("users"), "Assign permissions to a user", answers: .object([:]),
                use: give
            )
            .delete("permissions", requires: .update("users"), "Remove permissions from a user", use: take)
    }

    static let permissionMembers = Role.Permission.members.merging([
        "sources": .list(["source_id": .text, "source_name": .text, "source_type": .text])
    ]) { $1 }

    struct Pages: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) { paging = try Paging(from: &document) }
    }

    @Sendable private func roles(_ call: Query<Pages>) async throws -> Answer {
        let id = call["id"]
        let roles = try await management.stores.database.read { transaction in
            try Self.requireUser(id, transaction)
            return try RoleStore.roles(of: id, in: transaction)
        }
        return .list("roles", roles.map(RolesResource.shown), by: "id", call.query.paging) { $0 }
    }

    @Sendable private func assign(_ call: Submission<Identifiers<RoleList>>) async throws -> Answer {
        let roles = call.body.values
        return try await change(call.caller, call["id"], .noContent) { id, transaction in
            for role in roles {
                _ = try RolesResource.find(role, transaction)
                try RoleStore.assign(roleID: role, to: id, in: transaction)
            }
        }
    }

    @Sendable private func withdraw(_ call: Submission<Identifiers<RoleList>>) async throws -> Answer {
        let roles = call.body.values
        return try await change(call.caller, call["id"], .noContent) { id, transaction in
            for role in roles { try RoleStore.withdraw(roleID: role, from: id, in: transaction) }
        }
    }

    @Sendable private func permissions(_ call: Query<Pages>) async throws -> Answer {
        let id = call["id"]
        let all = try await management.stores.database.read { transaction in
            try Self.requireUser(id, transaction)
            let apis = try ResourceServerStore.list(in: transaction).map(\.resourceServer)
            let direct = try RoleStore.permissions(givenTo: id, in: transaction)
            let byRole = try RoleStore.permissionsByRole(of: id, in: transaction)
            return direct.union(byRole.map(\.permission)).inOrder().map { permission in
                let roles = byRole.filter { $0.permission == permission }.map { _, id, name -> JSONValue in
                    ["source_id": .string(id), "source_name": .string(name), "source_type": "ROLE"]
                }
                let own: [JSONValue] =
                    direct.contains(permission)
                    ? [["source_id": "", "source_name": "", "source_type": "DIRECT"]] : []
                return permission.shown(apis).merging(["sources": .array(own + roles)]) { $1 }
            }
        }
        return .list("permissions", all, by: "permission_name", call.query.paging) { $0 }
    }

    @Sendable private func give(_ call: Submission<PermissionList>) async throws -> Answer {
        let list = call.body
        return try await change(call.caller, call["id"], .created([:])) { id, transaction in
            try list.require(in: transaction)
            for permission in list.permissions { try RoleStore.give(permission, to: id, in: transaction) }
        }
    }

    @Sendable private func take(_ call: Submission<PermissionList>) async throws -> Answer {
        let list = call.body
        return try await change(call.caller, call["id"], .noContent) { id, transaction in
            for permission in list.permissions { try RoleStore.take(permission, from: id, in: transaction) }
        }
    }

    // MARK: Steps

    private static func requireUser(_ id: String, _ transaction: any SQLTransaction) throws {
        guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
    }

    private func change(
        _ caller: Caller, _ id: String, _ answer: Answer,
        _ body: @escaping @Sendable (String, any SQLTransaction) throws -> Void
    ) async throws -> Answer {
        try await management.write(caller) { transaction, _ in
            try UserStore.lock(id, in: transaction)
            try Self.requireUser(id, transaction)
            let before = try Self.authorization(of: id, transaction)
            try body(id, transaction)
            let after = try Self.authorization(of: id, transaction)
            return Changed(answer, before == after ? [] : [.init("users", id, before: before, after: after)])
        }
    }

    /// The user's roles and direct permissions, for the record.
    private static func authorization(of id: String, _ transaction: any SQLTransaction) throws -> JSONObject {
        [
            "roles": JSONValue(try RoleStore.roles(of: id, in: transaction).map(\.name)),
            "permissions": JSONValue(
                try RoleStore.permissions(givenTo: id, in: transaction).inOrder().map { "\($0.audience) \($0.name)" }),
        ]
    }
}
