import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/roles`.
struct RolesResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("roles")
            .get(requires: .read("roles"), "Get roles", answers: .page("roles", Self.members), use: list)
            .post(requires: .create("roles"), "Create a role", status: 200, answers: .object(Self.members), use: create)
            .get(":id", requires: .read("roles"), "Get a role", answers: .object(Self.members), use: get)
            .patch(":id", requires: .update("roles"), "Update a role", answers: .object(Self.members), use: update)
            .delete(":id", requires: .delete("roles"), "Delete a role", status: 200, answers: .object([:]), use: delete)
            .get(
                ":id/permissions", requires: .read("roles"), "Get permissions granted by role",
                answers: .page("permissions", Role.Permission.members), use: permissions
            )
            .post(
                ":id/permissions", requires: .update("roles"), "Associate permissions with a role",
                answers: .object([:]), use: addPermissions
            )
            .delete(
                ":id/permissions", requires: .update("roles"), "Remove permissions from a role", use: removePermissions
            )
            .get(
                ":id/users", requires: .read("users").or(.read("roles", "role_members")), "Get a role's users",
                answers: .page("users", UserMembers.summary), use: users
            )
            .post(
                ":id/users", requires: .update("roles").or(.create("role_members")), "Assign users to a role",
                status: 200, answers: .object([:]), use: assign)
    }

    static let members: Members = ["id": .text.always, "name": .text.always, "description": .text]

    struct Filter: Payload {
        let paging: Paging
        let name: String?

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            name = try document.string("name_filter")?.lowercased()
        }
    }

    /// Of which kind a role is. Portico's are the tenant's: those of organizations do not exist here.
    enum Kind: String, CaseIterable { case tenant, organization }

    struct Search: Payload {
        let filter: Filter
        let kind: Kind
        let owner: String?

        init(from document: inout Document) throws(Document.Problem) {
            filter = try Filter(from: &document)
            owner = try document.string("owner_id", most: 255)
            kind = try document.oneOf("type", Kind.self) ?? (owner == nil ? .tenant : .organization)
        }
    }

    struct Pages: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
        }
    }

    struct NewRole: Payload {
        let name: String
        let description: String?
        let kind: Kind

        init(from document: inout Document) throws(Document.Problem) {
            name = try document.requiredString("name", most: 255)
            description = try document.string("description", most: 1000)
            let owner = try document.string("owner_id", most: 255)
            kind = try document.oneOf("type", Kind.self) ?? (owner == nil ? .tenant : .organization)
        }
    }

    struct RoleChange: Payload {
        let names: Set<String>
        let name: String?
        let description: String?

        init(from document: inout Document) throws(Document.Problem) {
            names = document.names
            name = try document.string("name", most: 255)
            description = try document.string("description", most: 1000)
            guard name != "" else { throw document.problem("name", "must not be empty") }
        }
    }

    @Sendable private func list(_ call: Query<Search>) async throws -> Answer {
        let roles = try await management.stores.database.read { try RoleStore.list(in: $0) }.filter { role in
            call.query.kind == .tenant && call.query.filter.name.map(role.name.lowercased().contains) ?? true
        }
        return .list("roles", roles.map(Self.shown), by: "id", call.query.filter.paging) { $0 }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return .ok(Self.shown(try await management.stores.database.read { try Self.find(id, $0) }))
    }

    @Sendable private func create(_ call: Submission<NewRole>) async throws -> Answer {
        guard call.body.kind == .tenant else { throw ManagementError.notImplemented("roles of organizations") }
        var members: JSONObject = ["name": .string(call.body.name)]
        members["description"] = call.body.description.map(JSONValue.string)
        let role = try Role(
            document: Document(members, path: ""), standardID: RandomBytes.alphanumeric(16, prefix: "rol_"))
        return try await refusingDoubles {
            try await management.configure(call.caller) { transaction, _ in
                try RoleStore.replace(role, in: transaction)
                return Changed(.ok(Self.shown(role)), [.init("roles", role.id, before: nil, after: role.document)])
            }
        }
    }

    @Sendable private func update(_ call: Submission<RoleChange>) async throws -> Answer {
        let change = call.body
        return try await refusingDoubles {
            try await self.change(call.caller, call["id"]) { role, _ in
                role.name = change.name ?? role.name
                if change.names.contains("description") { role.description = change.description }
            } answer: {
                .ok(Self.shown($0))
            }
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            let role = try Self.find(id, transaction)
            try RoleStore.delete(id: id, in: transaction)
            return Changed(.ok([:]), [.init("roles", id, before: role.document, after: nil)])
        }
    }

    @Sendable private func permissions(_ call: Query<Filter>) async throws -> Answer {
        let id = call["id"]
        let (role, apis) = try await management.stores.database.read { transaction in
            (try Self.find(id, transaction), try ResourceServerStore.list(in: transaction).map(\.resourceServer))
        }
        let all = role.permissions.inOrder().map { $0.shown(apis) }
        return .list("permissions", all, by: "permission_name", call.query.paging) { $0 }
    }

    @Sendable private func addPermissions(_ call: Submission<PermissionList>) async throws -> Answer {
        let list = call.body
        return try await change(call.caller, call["id"]) { role, transaction in
            try list.require(in: transaction)
            role.permissions.formUnion(list.permissions)
        } answer: { _ in
            .created([:])
        }
    }

    @Sendable private func removePermissions(_ call: Submission<PermissionList>) async throws -> Answer {
        let list = call.body
        return try await change(call.caller, call["id"]) { role, _ in
            role.permissions.subtract(list.permissions)
        } answer: { _ in
            .noContent
        }
    }

    @Sendable private func users(_ call: Query<Pages>) async throws -> Answer {
        let (id, paging) = (call["id"], call.query.paging)
        return try await management.stores.database.read { transaction in
            _ = try Self.find(id, transaction)
            guard let checkpoint = paging.checkpoint else {
                let users = try RoleStore.users(
                    havingRole: id, start: paging.start, limit: paging.perPage, in: transaction)
                let total = paging.includesTotals ? try RoleStore.countUsers(havingRole: id, in: transaction) : 0
                return .page("users", users.map(Self.shown), total: total, paging)
            }
            let users = try RoleStore.users(
                havingRole: id, after: checkpoint.from ?? "", limit: checkpoint.take + 1, in: transaction)
            var members: JSONObject = [
                "users": .array(users.prefix(checkpoint.take).map { .object(Self.shown($0)) })
            ]
            if users.count > checkpoint.take { members["next"] = .string(users[checkpoint.take - 1].id) }
            return .ok(members)
        }
    }

    @Sendable private func assign(_ call: Submission<Identifiers<UserList>>) async throws -> Answer {
        let (id, users) = (call["id"], call.body.values)
        return try await management.write(call.caller) { transaction, _ in
            _ = try Self.find(id, transaction)
            for user in users {
                guard try UserStore.find(user, in: transaction) != nil else { throw UsersResource.inexistent }
                try RoleStore.assign(roleID: id, to: user, in: transaction)
            }
            return Changed(.ok([:]), users.map { .init("users", $0, before: nil, after: ["role": .string(id)]) })
        }
    }

    // MARK: Steps

    static func find(_ id: String, _ transaction: any SQLTransaction) throws -> Role {
        guard let role = try RoleStore.find(id, in: transaction) else {
            throw ManagementError.inexistent("role", "role")
        }
        return role
    }

    private func change(
        _ caller: Caller, _ id: String, _ body: @escaping @Sendable (inout Role, any SQLTransaction) throws -> Void,
        answer: @escaping @Sendable (Role) -> Answer
    ) async throws -> Answer {
        try await management.configure(caller) { transaction, _ in
            let before = try Self.find(id, transaction)
            var role = before
            try body(&role, transaction)
            guard role != before else { return Changed(answer(role), []) }
            try RoleStore.replace(role, in: transaction)
            return Changed(answer(role), [.init("roles", id, before: before.document, after: role.document)])
        }
    }

    private func refusingDoubles(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch SQLError.uniqueViolation {
            throw ManagementError.conflict("The role already exists", "role_conflict")
        }
    }

    static func shown(_ role: Role) -> JSONObject {
        role.document.filter { $0.key != "permissions" }
    }

    static func shown(_ user: User) -> JSONObject {
        UserMembers.shown(user).filter { ["user_id", "email", "picture", "name"].contains($0.key) }
    }
}
