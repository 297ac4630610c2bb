import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/organizations/{id}/members` and their roles there, and `/api/v2/users/{id}/organizations`.
struct OrganizationMembersResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        let roles = "organizations/:id/members/:user/roles"
        return Routes("")
            .get(
                "organizations/:id/members", requires: .read("organization_members"),
                "Get members who belong to an organization", answers: .page("members", Self.members), use: list
            )
            .post(
                "organizations/:id/members", requires: .create("organization_members"),
                "Add members to an organization", status: 204,
                answers: .nothing, use: add
            )
            .delete(
                "organizations/:id/members", requires: .delete("organization_members"),
                "Delete members from an organization", use: remove
            )
            .get(
                roles, requires: .read("organization_member_roles"), "Get the roles of an organization's member",
                answers: .page("roles", RolesResource.members), use: memberRoles
            )
            .post(
                roles, requires: .create("organization_member_roles"), "Assign roles to an organization's member",
                status: 204, answers: .nothing, use: assign
            )
            .delete(
                roles, requires: .delete("organization_member_roles"), "Remove roles from an organization's member",
                use: withdraw
            )
            .get(
                "organizations/:id/roles/:role/members",
                requires: .read("organization_members", "organization_member_roles"),
                "Get an organization's members with a role", answers: .window("members", Self.members.optional),
                use: listWithRole
            )
            .get(
                "users/:id/organizations", requires: .read("organizations"), "List a user's organizations",
                answers: .page("organizations", OrganizationsResource.members), use: ofUser)
    }

    private static let members = UserMembers.summary.merging([
        "roles": .list(["id": .text.always, "name": .text.always])
    ]) { $1 }

    struct Filter: Payload {
        let paging: Paging
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
            fields = try FieldSelection(from: &document)
        }
    }

    struct Pages: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) { paging = try Paging(from: &document) }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        try await list(call["id"], roleID: nil, call.query)
    }

    @Sendable private func listWithRole(_ call: Query<Filter>) async throws -> Answer {
        try await list(call["id"], roleID: call["role"], call.query)
    }

    private func list(_ id: String, roleID: String?, _ filter: Filter) async throws -> Answer {
        let (paging, fields) = (filter.paging, filter.fields)
        return try await management.stores.database.read { transaction in
            _ = try OrganizationsResource.find(id, transaction)
            if let roleID { _ = try RolesResource.find(roleID, transaction) }
            func shown(_ user: User) throws -> JSONObject {
                var members = RolesResource.shown(user)
                if fields.asks(for: "roles") {
                    let roles = try OrganizationStore.roles(of: user.id, in: id, transaction)
                    members["roles"] = .array(roles.map { ["id": .string($0.id), "name": .string($0.name)] })
                }
                return fields.apply(to: members)
            }
            guard paging.checkpoint != nil || roleID != nil else {
                let users = try OrganizationStore.members(
                    of: id, start: paging.start, limit: paging.perPage, in: transaction)
                let total = paging.includesTotals ? try OrganizationStore.countMembers(of: id, in: transaction) : 0
                return .page("members", try users.map(shown), total: total, paging)
            }
            let take = paging.checkpoint?.take ?? paging.perPage
            let users = try OrganizationStore.members(
                of: id, roleID: roleID, after: paging.checkpoint?.from ?? "", limit: take + 1, in: transaction)
            return try .window("members", users, most: take, next: \.id, shown)
        }
    }

    @Sendable private func add(_ call: Submission<Identifiers<MemberList>>) async throws -> Answer {
        let (id, users) = (call["id"], call.body.values)
        return try await management.write(call.caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            var subjects: [AuditEvent.Subject] = []
            for user in users where try !OrganizationStore.isMember(user, of: id, in: transaction) {
                guard try UserStore.find(user, in: transaction) != nil else { throw UsersResource.inexistent }
                try OrganizationStore.addMember(user, to: id, in: transaction)
                subjects.append(.init("organizations", id, before: nil, after: ["member": .string(user)]))
            }
            return Changed(.noContent, subjects)
        }
    }

    @Sendable private func remove(_ call: Submission<Identifiers<MemberList>>) async throws -> Answer {
        let (id, users) = (call["id"], call.body.values)
        return try await management.write(call.caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            var subjects: [AuditEvent.Subject] = []
            for user in users where try OrganizationStore.isMember(user, of: id, in: transaction) {
                try OrganizationStore.removeMember(user, from: id, in: transaction)
                subjects.append(.init("organizations", id, before: ["member": .string(user)], after: nil))
            }
            return Changed(.noContent, subjects)
        }
    }

    @Sendable private func memberRoles(_ call: Query<Pages>) async throws -> Answer {
        let (id, user) = (call["id"], call["user"])
        let roles = try await management.stores.database.read { transaction in
            try Self.requireMember(user, of: id, transaction)
            return try OrganizationStore.roles(of: user, in: id, transaction)
        }
        return .list("roles", roles.map(RolesResource.shown), by: "id", call.query.paging) { $0 }
    }

    @Sendable private func assign(_ call: Submission<Identifiers<RoleList>>) async throws -> Answer {
        let roles = call.body.values
        return try await changeRoles(call.caller, call["id"], call["user"]) { id, user, transaction in
            for role in roles {
                _ = try RolesResource.find(role, transaction)
                try OrganizationStore.assign(roleID: role, to: user, in: id, transaction)
            }
        }
    }

    @Sendable private func withdraw(_ call: Submission<Identifiers<RoleList>>) async throws -> Answer {
        let roles = call.body.values
        return try await changeRoles(call.caller, call["id"], call["user"]) { id, user, transaction in
            for role in roles { try OrganizationStore.withdraw(roleID: role, from: user, in: id, transaction) }
        }
    }

    @Sendable private func ofUser(_ call: Query<Filter>) async throws -> Answer {
        let (id, fields) = (call["id"], call.query.fields)
        let all = try await management.stores.database.read { transaction in
            guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
            return try OrganizationStore.organizations(of: id, in: transaction)
        }
        return .list("organizations", all.map(\.document), by: "id", call.query.paging) { fields.apply(to: $0) }
    }

    // MARK: Steps

    private static func requireMember(_ user: String, of id: String, _ transaction: any SQLTransaction) throws {
        _ = try OrganizationsResource.find(id, transaction)
        guard try OrganizationStore.isMember(user, of: id, in: transaction) else {
            throw ManagementError(404, "No member of the organization found by that id")
        }
    }

    private func changeRoles(
        _ caller: Caller, _ id: String, _ user: String,
        _ body: @escaping @Sendable (String, String, any SQLTransaction) throws -> Void
    ) async throws -> Answer {
        try await management.write(caller) { transaction, _ in
            try Self.requireMember(user, of: id, transaction)
            func names() throws -> JSONObject {
                let roles = try OrganizationStore.roles(of: user, in: id, transaction)
                return ["member": .string(user), "roles": JSONValue(roles.map(\.name))]
            }
            let before = try names()
            try body(id, user, transaction)
            let after = try names()
            return Changed(
                .noContent, before == after ? [] : [.init("organizations", id, before: before, after: after)])
        }
    }
}

/// `members`.
enum MemberList: IdentifierListName { static let text = "members" }
