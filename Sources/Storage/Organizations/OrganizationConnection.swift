import OAuth

/// A connection that an organization's members may come from, with what holds for it there.
package struct OrganizationConnection: Sendable, Hashable {
    /// The id of the ``Connection``.
    package let connectionID: String
    /// Whether who signs in from there becomes a member.
    package var assignsMembershipOnLogin = false
    /// Whether strangers may sign up there: for databases.
    package var isSignupEnabled = false
    /// Whether the organization's login page shows a button for it: for other connections than databases.
    package var showsAsButton = true
    /// Whether it may be used at all; what is off keeps its settings.
    package var isEnabled = true
    /// What the organization calls it.
    package var displayName: String?

    package init(connectionID: String) { self.connectionID = connectionID }

    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, connectionID: String) throws(Document.Problem) {
        var document = document
        self.connectionID = connectionID
        assignsMembershipOnLogin = try document.bool("assign_membership_on_login", default: false)
        isSignupEnabled = try document.bool("is_signup_enabled", default: false)
        showsAsButton = try document.bool("show_as_button", default: true)
        isEnabled = try document.bool("is_enabled", default: true)
        displayName = try document.string("organization_connection_name", most: 255)
        guard !isSignupEnabled || assignsMembershipOnLogin else {
            throw document.problem(
                "is_signup_enabled", "needs assign_membership_on_login: who signs up would be no member")
        }
        _ = try document.remaining(known: [])
    }

    /// The settings as Auth0 writes them, without the connection itself.
    package var document: JSONObject {
        var members: JSONObject = [
            "assign_membership_on_login": .bool(assignsMembershipOnLogin), "is_signup_enabled": .bool(isSignupEnabled),
            "show_as_button": .bool(showsAsButton),
        ]
        if !isEnabled { members["is_enabled"] = false }
        members["organization_connection_name"] = displayName.map(JSONValue.string)
        return members
    }
}

extension OrganizationStore {
    /// The connections of an organization, in the order of their ids.
    package static func connections(
        of id: String, in transaction: any SQLTransaction
    ) throws -> [OrganizationConnection] {
        try transaction.rows(
            "SELECT * FROM organization_connection WHERE organization_id = \(id) ORDER BY connection_id"
        ).map(OrganizationConnection.init)
    }

    /// The connections of every organization, by its id.
    package static func connections(
        in transaction: any SQLTransaction
    ) throws -> [String: [OrganizationConnection]] {
        var connections: [String: [OrganizationConnection]] = [:]
        for row in try transaction.rows("SELECT * FROM organization_connection ORDER BY connection_id") {
            try connections[row.text("organization_id"), default: []].append(OrganizationConnection(row))
        }
        return connections
    }

    /// What holds for a connection in an organization, or nil where it has not got it.
    package static func connection(
        _ connectionID: String, of id: String, in transaction: any SQLTransaction
    ) throws -> OrganizationConnection? {
        try transaction.row(
            """
            SELECT * FROM organization_connection WHERE organization_id = \(id) AND connection_id = \(connectionID)
            """
        ).map(OrganizationConnection.init)
    }

    /// What holds for a connection in each organization that a user belongs to, by the organizations' ids.
    package static func settings(
        of connectionID: String, forMember userID: String, in transaction: any SQLTransaction
    ) throws -> [String: OrganizationConnection] {
        var found: [String: OrganizationConnection] = [:]
        for row in try transaction.rows(
            """
            SELECT organization_connection.* FROM organization_connection
            JOIN organization_member ON organization_member.organization_id = organization_connection.organization_id
            WHERE connection_id = \(connectionID) AND user_id = \(userID)
            """)
        {
            found[try row.text("organization_id")] = try OrganizationConnection(row)
        }
        return found
    }

    /// Gives an organization a connection, or changes what holds for it there.
    /// - Throws: ``SQLError/foreignKeyViolation`` where either does not exist.
    package static func save(
        _ connection: OrganizationConnection, of id: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO organization_connection (organization_id, connection_id, document)
            VALUES (\(id), \(connection.connectionID), \(JSON.text(connection.document)))
            ON CONFLICT (organization_id, connection_id) DO UPDATE SET document = excluded.document
            """)
    }

    /// Takes a connection from an organization, with the invitations that lead to it.
    package static func removeConnection(
        _ connectionID: String, from id: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "DELETE FROM organization_connection WHERE organization_id = \(id) AND connection_id = \(connectionID)")
        try transaction.execute(
            "DELETE FROM organization_invitation WHERE organization_id = \(id) AND connection_id = \(connectionID)")
    }
}

extension OrganizationConnection {
    fileprivate init(_ row: SQLRow) throws {
        try self.init(
            document: Document(row.json("document"), path: "organization connection"),
            connectionID: row.text("connection_id"))
    }
}

extension OrganizationStore {
    /// The ids of the client grants that each organization may use beside those for any organization, by its id.
    package static func clientGrants(in transaction: any SQLTransaction) throws -> [String: Set<String>] {
        var grants: [String: Set<String>] = [:]
        for row in try transaction.rows("SELECT * FROM organization_client_grant") {
            try grants[row.text("organization_id"), default: []].insert(row.text("grant_id"))
        }
        return grants
    }

    /// The client grants that an organization may use beside those for any organization, in the order of the APIs.
    package static func clientGrants(of id: String, in transaction: any SQLTransaction) throws -> [ClientGrant] {
        try transaction.rows(
            """
            SELECT client_grant.* FROM client_grant
            JOIN organization_client_grant ON organization_client_grant.grant_id = client_grant.id
            WHERE organization_id = \(id) ORDER BY audience, client_id
            """
        ).map(ClientGrant.init)
    }

    /// The organizations that may use a client grant, in the order of their names.
    package static func organizations(
        ofGrant grantID: String, in transaction: any SQLTransaction
    ) throws -> [Organization] {
        try transaction.rows(
            """
            SELECT organization.* FROM organization
            JOIN organization_client_grant ON organization_client_grant.organization_id = organization.id
            WHERE grant_id = \(grantID) ORDER BY name
            """
        ).map(Organization.init)
    }

    /// Lets an organization use a client grant.
    /// - Throws: ``SQLError/foreignKeyViolation`` where either does not exist.
    package static func addClientGrant(
        _ grantID: String, to id: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO organization_client_grant (organization_id, grant_id) VALUES (\(id), \(grantID))
            ON CONFLICT DO NOTHING
            """)
    }

    /// Takes a client grant from an organization.
    package static func removeClientGrant(
        _ grantID: String, from id: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "DELETE FROM organization_client_grant WHERE organization_id = \(id) AND grant_id = \(grantID)")
    }
}
