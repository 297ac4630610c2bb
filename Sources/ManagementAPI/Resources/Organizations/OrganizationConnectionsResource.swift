import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/organizations/{id}/enabled_connections`, and `/connections`, which Auth0 has beside it for the same with more
/// members.
struct OrganizationConnectionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        adding(AllConnections.self, to: adding(EnabledConnections.self, to: Routes("organizations/:id")))
    }

    private func adding<View: OrganizationConnectionView>(_ view: View.Type, to routes: Routes) -> Routes {
        let one = "\(View.path)/:connection"
        return
            routes
            .get(
                View.path, requires: .read("organization_connections"), View.summaries.list,
                answers: .page(View.path, Self.members)
            ) { (call: Query<Filter<View>>) in try await list(call) }
            .post(
                View.path, requires: .create("organization_connections"), View.summaries.add,
                answers: .object(Self.members)
            ) { (call: Submission<NewConnection<View>>) in try await add(call) }
            .get(
                one, requires: .read("organization_connections"), View.summaries.get, answers: .object(Self.members),
                use: get
            )
            .patch(
                one, requires: .update("organization_connections"), View.summaries.change,
                answers: .object(Self.members)
            ) { (call: Submission<ConnectionChange<View>>) in try await change(call) }
            .delete(one, requires: .delete("organization_connections"), View.summaries.remove, use: remove)
    }

    static let members: Members = [
        "connection_id": .text.always, "assign_membership_on_login": .bool.always, "is_signup_enabled": .bool.always,
        "show_as_button": .bool.always, "is_enabled": .bool.always, "organization_connection_name": .text,
        "connection": .object(["name": .text.always, "strategy": .text.always]),
    ]

    struct Filter<View: OrganizationConnectionView>: Payload {
        let paging: Paging
        private let isEnabled: Bool?

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            isEnabled = View.isWhole ? try document.bool("is_enabled") : true
        }

        func includes(_ connection: OrganizationConnection) -> Bool {
            isEnabled ?? connection.isEnabled == connection.isEnabled
        }
    }

    /// The members that a request may have.
    struct ConnectionChange<View: OrganizationConnectionView>: Payload {
        private var members: JSONObject = [:]

        init(from document: inout Document) throws(Document.Problem) {
            for name in ["assign_membership_on_login", "is_signup_enabled", "show_as_button"] {
                members[name] = try document.bool(name).map(JSONValue.bool)
            }
            guard View.isWhole else { return }
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

    struct NewConnection<View: OrganizationConnectionView>: Payload {
        let connection: OrganizationConnection

        init(from document: inout Document) throws(Document.Problem) {
            let id = try document.requiredString("connection_id", most: 255)
            connection = try ConnectionChange<View>(from: &document)
                .applied(to: OrganizationConnection(connectionID: id))
        }
    }

    private func list<View>(_ call: Query<Filter<View>>) async throws -> Answer {
        let (id, filter) = (call["id"], call.query)
        let all = try await management.stores.database.read { transaction in
            _ = try OrganizationsResource.find(id, transaction)
            return try OrganizationStore.connections(of: id, in: transaction).filter(filter.includes).map {
                connection in
                Self.shown(connection, try ConnectionStore.find(id: connection.connectionID, in: transaction))
            }
        }
        return .list(View.path, all, by: "connection_id", filter.paging) { $0 }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let (id, connection) = (call["id"], call["connection"])
        return try await management.stores.database.read { transaction in
            let found = try Self.find(connection, of: id, transaction)
            return .ok(Self.shown(found, try ConnectionStore.find(id: connection, in: transaction)))
        }
    }

    private func add<View>(_ call: Submission<NewConnection<View>>) async throws -> Answer {
        let (id, connection) = (call["id"], call.body.connection)
        return try await management.configure(call.caller) { transaction, _ in
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

    private func change<View>(_ call: Submission<ConnectionChange<View>>) async throws -> Answer {
        let (id, connectionID, settings) = (call["id"], call["connection"], call.body)
        return try await management.configure(call.caller) { transaction, _ in
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

/// One of the two addresses of an organization's connections.
protocol OrganizationConnectionView: Sendable {
    /// The last part of the address, and the name of the list.
    static var path: String { get }
    /// Whether it has those that are switched off, and all their members.
    static var isWhole: Bool { get }
    static var summaries: (list: String, add: String, get: String, change: String, remove: String) { get }
}

/// Auth0's older address.
enum EnabledConnections: OrganizationConnectionView {
    static let (path, isWhole) = ("enabled_connections", false)
    static let summaries = (
        list: "Get connections enabled for an organization", add: "Add connections to an organization",
        get: "Get an enabled connection for an organization", change: "Update the connection of an organization",
        remove: "Delete connections from an organization"
    )
}

/// The address with everything.
enum AllConnections: OrganizationConnectionView {
    static let (path, isWhole) = ("connections", true)
    static let summaries = (
        list: "Get an organization's connections", add: "Add a connection to an organization",
        get: "Get an organization's connection", change: "Update an organization's connection",
        remove: "Delete a connection from an organization"
    )
}
