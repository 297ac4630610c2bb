import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/organizations/{id}/enabled_connections`, and `/connections`, which Auth0 has beside it for the same with more
/// members.
struct OrganizationConnectionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        let (read, create) = (
            RequiredScope.read("organization_connections"), RequiredScope.create("organization_connections")
        )
        let (update, delete) = (
            RequiredScope.update("organization_connections"), RequiredScope.delete("organization_connections")
        )
        return Routes("organizations/:id")
            .get(
                "enabled_connections", requires: read, "Get connections enabled for an organization",
                answers: .page("enabled_connections", Self.members), use: listEnabled
            )
            .post(
                "enabled_connections", requires: create, "Add connections to an organization",
                answers: .object(Self.members), use: addEnabled
            )
            .get(
                "enabled_connections/:connection", requires: read, "Get an enabled connection for an organization",
                answers: .object(Self.members), use: get
            )
            .patch(
                "enabled_connections/:connection", requires: update, "Update the connection of an organization",
                answers: .object(Self.members), use: changeEnabled
            )
            .delete(
                "enabled_connections/:connection", requires: delete, "Delete connections from an organization",
                use: remove
            )
            .get(
                "connections", requires: read, "Get an organization's connections",
                answers: .page("connections", Self.members), use: list
            )
            .post(
                "connections", requires: create, "Add a connection to an organization", answers: .object(Self.members),
                use: add
            )
            .get(
                "connections/:connection", requires: read, "Get an organization's connection",
                answers: .object(Self.members), use: get
            )
            .patch(
                "connections/:connection", requires: update, "Update an organization's connection",
                answers: .object(Self.members), use: change
            )
            .delete(
                "connections/:connection", requires: delete, "Delete a connection from an organization", use: remove)
    }

    static let members: Members = [
        "connection_id": .text.always, "assign_membership_on_login": .bool.always, "is_signup_enabled": .bool.always,
        "show_as_button": .bool.always, "is_enabled": .bool.always, "organization_connection_name": .text,
        "connection": .object(["name": .text.always, "strategy": .text.always]),
    ]

    struct Pages: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) { paging = try Paging(from: &document) }
    }

    struct Filter: Payload {
        let paging: Paging
        let isEnabled: Bool?

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            isEnabled = try document.bool("is_enabled")
        }
    }

    /// The members that a request may have.
    struct Settings: Sendable {
        private var members: JSONObject = [:]

        /// - Parameter isWhole: whether the members are those of `/connections`.
        init(from document: inout Document, isWhole: Bool) throws(Document.Problem) {
            for name in ["assign_membership_on_login", "is_signup_enabled", "show_as_button"] {
                members[name] = try document.bool(name).map(JSONValue.bool)
            }
            guard isWhole else { return }
            members["is_enabled"] = try document.bool("is_enabled").map(JSONValue.bool)
            members["organization_connection_name"] =
                try document.string("organization_connection_name", most: 255).map(JSONValue.string)
        }

        /// The connection with these settings in the place of its own.
        func applied(to connection: OrganizationConnection) throws(Document.Problem) -> OrganizationConnection {
            try OrganizationConnection(
                document: Document(connection.document.merging(members) { $1 }, path: ""),
                connectionID: connection.connectionID)
        }
    }

    struct NewConnection: Payload {
        let connection: OrganizationConnection

        init(from document: inout Document) throws(Document.Problem) {
            try self.init(from: &document, isWhole: false)
        }

        init(from document: inout Document, isWhole: Bool) throws(Document.Problem) {
            let id = try document.requiredString("connection_id", most: 255)
            connection = try Settings(from: &document, isWhole: isWhole)
                .applied(to: OrganizationConnection(connectionID: id))
        }
    }

    struct NewWholeConnection: Payload {
        let new: NewConnection

        init(from document: inout Document) throws(Document.Problem) {
            new = try NewConnection(from: &document, isWhole: true)
        }
    }

    struct ConnectionChange: Payload {
        let settings: Settings

        init(from document: inout Document) throws(Document.Problem) {
            settings = try Settings(from: &document, isWhole: false)
        }
    }

    struct WholeConnectionChange: Payload {
        let settings: Settings

        init(from document: inout Document) throws(Document.Problem) {
            settings = try Settings(from: &document, isWhole: true)
        }
    }

    @Sendable private func listEnabled(_ call: Query<Pages>) async throws -> Answer {
        try await list("enabled_connections", call["id"], call.query.paging) { $0.isEnabled }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let isEnabled = call.query.isEnabled
        return try await list("connections", call["id"], call.query.paging) {
            isEnabled ?? $0.isEnabled == $0.isEnabled
        }
    }

    private func list(
        _ name: String, _ id: String, _ paging: Paging,
        where isIncluded: @escaping @Sendable (OrganizationConnection) -> Bool
    ) async throws -> Answer {
        let all = try await management.stores.database.read { transaction in
            _ = try OrganizationsResource.find(id, transaction)
            return try OrganizationStore.connections(of: id, in: transaction).filter(isIncluded).map { connection in
                Self.shown(connection, try ConnectionStore.find(id: connection.connectionID, in: transaction))
            }
        }
        return .list(name, all, by: "connection_id", paging) { $0 }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let (id, connection) = (call["id"], call["connection"])
        return try await management.stores.database.read { transaction in
            let found = try Self.find(connection, of: id, transaction)
            return .ok(Self.shown(found, try ConnectionStore.find(id: connection, in: transaction)))
        }
    }

    @Sendable private func addEnabled(_ call: Submission<NewConnection>) async throws -> Answer {
        try await add(call.body, call["id"], call.caller)
    }

    @Sendable private func add(_ call: Submission<NewWholeConnection>) async throws -> Answer {
        try await add(call.body.new, call["id"], call.caller)
    }

    private func add(_ new: NewConnection, _ id: String, _ caller: Caller) async throws -> Answer {
        let connection = new.connection
        return try await management.configure(caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            let origin = try ConnectionsResource.find(connection.connectionID, transaction)
            guard try OrganizationStore.connection(connection.connectionID, of: id, in: transaction) == nil else {
                throw ManagementError.conflict("The connection is already enabled for the organization")
            }
            try OrganizationStore.save(connection, of: id, in: transaction)
            let shown = Self.shown(connection, origin)
            return Changed(
                .created(shown), [.init("organizations", id, before: nil, after: ["connection": .object(shown)])])
        }
    }

    @Sendable private func changeEnabled(_ call: Submission<ConnectionChange>) async throws -> Answer {
        try await change(call.body.settings, call["id"], call["connection"], call.caller)
    }

    @Sendable private func change(_ call: Submission<WholeConnectionChange>) async throws -> Answer {
        try await change(call.body.settings, call["id"], call["connection"], call.caller)
    }

    private func change(
        _ settings: Settings, _ id: String, _ connectionID: String, _ caller: Caller
    ) async throws -> Answer {
        try await management.configure(caller) { transaction, _ in
            let before = try Self.find(connectionID, of: id, transaction)
            let after = try settings.applied(to: before)
            try OrganizationStore.save(after, of: id, in: transaction)
            let origin = try ConnectionStore.find(id: connectionID, in: transaction)
            return Changed(
                .ok(Self.shown(after, origin)),
                [
                    .init(
                        "organizations", id, before: ["connection": .object(Self.shown(before, origin))],
                        after: ["connection": .object(Self.shown(after, origin))])
                ])
        }
    }

    @Sendable private func remove(_ call: Plain) async throws -> Answer {
        let (id, connectionID) = (call["id"], call["connection"])
        return try await management.configure(call.caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            guard let found = try OrganizationStore.connection(connectionID, of: id, in: transaction) else {
                return Changed(.noContent, [])
            }
            try OrganizationStore.removeConnection(connectionID, from: id, in: transaction)
            return Changed(
                .noContent,
                [.init("organizations", id, before: ["connection": .object(Self.shown(found, nil))], after: nil)])
        }
    }

    // MARK: Steps

    private static func find(
        _ connectionID: String, of id: String, _ transaction: any SQLTransaction
    ) throws -> OrganizationConnection {
        _ = try OrganizationsResource.find(id, transaction)
        guard let found = try OrganizationStore.connection(connectionID, of: id, in: transaction) else {
            throw ManagementError(404, "No connection of the organization found by that id")
        }
        return found
    }

    /// - Parameter origin: the connection itself.
    static func shown(_ connection: OrganizationConnection, _ origin: Connection?) -> JSONObject {
        var members = connection.document
        members["connection_id"] = .string(connection.connectionID)
        members["is_enabled"] = .bool(connection.isEnabled)
        members["connection"] = origin.map { ["name": .string($0.name), "strategy": .string($0.strategy)] }
        return members
    }
}
