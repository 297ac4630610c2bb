import AuthorizationServer
import OAuth
import Storage

extension Organization: ConfigurationModel {
    package static var readOnly: Set<String> { ["id"] }
    package static var further: [String: DocumentSchema.Member] {
        ["enabled_connections": .init(.list(OrganizationConnectionsResource.NewConnection<EnabledConnections>.schema))]
    }
    /// Members of the creation alone.
    package static var immutable: Set<String> { ["enabled_connections"] }
}

/// `/api/v2/organizations`.
struct OrganizationsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("organizations")
            .get(
                requires: .read("organizations", "organizations_summary"), "Get organizations",
                answers: .page("organizations", Self.members), use: list
            )
            .post(
                requires: .create("organizations"), "Create an organization", answers: .object(Self.created),
                use: create
            )
            .get(
                "name/:name", requires: .read("organizations"), "Get an organization by name",
                answers: .object(Self.members), use: getByName
            )
            .get(
                ":id", requires: .read("organizations", "organizations_summary"), "Get an organization",
                answers: .object(Self.members), use: get
            )
            .patch(
                ":id", requires: .update("organizations"), "Modify an organization", answers: .object(Self.members),
                use: update
            )
            .delete(":id", requires: .delete("organizations"), "Delete an organization", use: delete)
    }

    static let members = Members.of(Organization.self, always: ["id", "name"])
    private static let created = members.merging([
        "enabled_connections": .list(OrganizationConnectionsResource.members)
    ]) { $1 }

    struct Filter: Payload {
        let paging: Paging
        let order: OrganizationStore.Order

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
            // Organizations have no applications of their own here, and one without leaves the member out.
            _ = try document.string("include_client_association_for", most: 255)
            guard let sort = try document.string("sort", most: 100) else {
                order = .init(.name)
                return
            }
            let parts = sort.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let field = OrganizationStore.Order.Field(rawValue: String(parts[0])),
                ["1", "-1"].contains(parts[1])
            else { throw document.problem("sort", "must be name, display_name or created_at, and :1 or :-1") }
            order = .init(field, isDescending: parts[1] == "-1")
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let (paging, order) = (call.query.paging, call.query.order)
        return try await management.stores.database.read { transaction in
            guard let checkpoint = paging.checkpoint else {
                let page = try OrganizationStore.page(
                    by: order, start: paging.start, limit: paging.perPage, in: transaction)
                let total = paging.includesTotals ? try OrganizationStore.count(in: transaction) : 0
                return .page("organizations", page.map(\.document), total: total, paging)
            }
            let found = try OrganizationStore.page(
                by: order, after: checkpoint.from, limit: checkpoint.take + 1, in: transaction)
            let part = found.prefix(checkpoint.take)
            var members: JSONObject = ["organizations": .array(part.map { .object($0.document) })]
            if found.count > part.count, let last = part.last {
                members["next"] = try OrganizationStore.checkpoint(of: last.id, by: order, in: transaction)
                    .map(JSONValue.string)
            }
            return .ok(members)
        }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return .ok(try await management.stores.database.readOnce { try Self.find(id, $0) }.document)
    }

    @Sendable private func getByName(_ call: Plain) async throws -> Answer {
        let name = call["name"]
        let found = try await management.stores.database.readOnce { try OrganizationStore.find(name: name, in: $0) }
        guard let found else { throw Self.inexistent }
        return .ok(found.document)
    }

    @Sendable private func create(_ call: Submission<New<Organization>>) async throws -> Answer {
        let id = RandomBytes.alphanumeric(16, prefix: "org_")
        var document = Document(call.body.members, path: "")
        var connections: [OrganizationConnection] = []
        for var entry in try document.documents("enabled_connections") ?? [] {
            connections.append(
                try OrganizationConnectionsResource.NewConnection<EnabledConnections>(from: &entry).connection)
            _ = try entry.remaining(known: [])
        }
        let organization = try Organization(document: document, standardID: id)
        let enabled = connections
        return try await refusingDoubles {
            try await management.configure(call.caller) { transaction, now in
                try OrganizationStore.save(organization, at: now, in: transaction)
                var shown: [JSONValue] = []
                for connection in enabled {
                    let origin = try ConnectionsResource.find(connection.connectionID, transaction)
                    try OrganizationStore.save(connection, of: id, in: transaction)
                    shown.append(.object(OrganizationConnectionsResource.shown(connection, origin)))
                }
                var members = organization.document
                if !shown.isEmpty { members["enabled_connections"] = .array(shown) }
                return Changed(.created(members), [.init("organizations", id, before: nil, after: members)])
            }
        }
    }

    @Sendable private func update(_ call: Submission<Change<Organization>>) async throws -> Answer {
        let (id, changes) = (call["id"], call.body.members)
        return try await refusingDoubles {
            try await management.configure(call.caller) { transaction, now in
                let existing = try Self.find(id, transaction)
                let members = existing.document.merging(changes) { $1 }.filter { $0.value != .null }
                let organization = try Organization(document: Document(members, path: ""), standardID: id)
                try OrganizationStore.save(organization, at: now, in: transaction)
                return Changed(
                    .ok(organization.document),
                    [.init("organizations", id, before: existing.document, after: organization.document)])
            }
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let existing = try OrganizationStore.find(id, in: transaction) else {
                return Changed(.noContent, [])
            }
            try OrganizationStore.delete(id, in: transaction)
            return Changed(.noContent, [.init("organizations", id, before: existing.document, after: nil)])
        }
    }

    // MARK: Steps

    static let inexistent = ManagementError(404, "No organization found by that id or name")

    static func find(_ id: String, _ transaction: any SQLTransaction) throws -> Organization {
        guard let organization = try OrganizationStore.find(id, in: transaction) else { throw inexistent }
        return organization
    }

    private func refusingDoubles(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch SQLError.uniqueViolation {
            throw ManagementError.conflict("An organization with this name already exists.", "organization_conflict")
        }
    }
}
