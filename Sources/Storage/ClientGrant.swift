import OAuth

/// What an application may ask of an API on its own behalf: Auth0's client grant.
package struct ClientGrant: Sendable, Hashable {
    /// `cgr_` and 16 letters and digits.
    package var id: String
    package var clientID: String
    /// The API's identifier.
    package var audience: String
    package var scope: Scope
    /// Whether tokens may be for an organization: Auth0's `organization_usage`; nil stands for ``OrganizationUsage/deny``.
    package var organizationUsage: OrganizationUsage?
    /// Whether every organization may use the grant, and not only those that it is given; nil stands for false.
    package var allowsAnyOrganization: Bool?
    /// Auth0's other fields, kept and given back.
    package var other: JSONObject = [:]

    package init(id: String, clientID: String, audience: String, scope: Scope) {
        (self.id, self.clientID, self.audience, self.scope) = (id, clientID, audience, scope)
    }

    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        clientID = try document.requiredString("client_id")
        audience = try document.requiredString("audience")
        scope = Scope(try document.strings("scope") ?? [])
        organizationUsage = try document.oneOf("organization_usage", OrganizationUsage.self)
        allowsAnyOrganization = try document.bool("allow_any_organization")
        other = try document.remaining(known: [
            "subject_type", "allow_all_scopes", "authorization_details_types", "is_system", "default_for",
        ])
    }

    /// The grant as Auth0 writes it.
    package var document: JSONObject {
        var members = other
        members["id"] = .string(id)
        members["client_id"] = .string(clientID)
        members["audience"] = .string(audience)
        members["scope"] = JSONValue(scope.values)
        members["organization_usage"] = organizationUsage.map { .string($0.rawValue) }
        members["allow_any_organization"] = allowsAnyOrganization.map(JSONValue.bool)
        return members
    }
}

/// The client grants of the tenant.
package struct ClientGrantStore: Sendable {
    let database: any SQLDatabase

    /// The grant of a client for an API, or nil where there is none.
    package func find(clientID: String, audience: String) async throws -> ClientGrant? {
        try await database.readOnce { transaction in
            try transaction.row(
                "SELECT * FROM client_grant WHERE client_id = \(clientID) AND audience = \(audience)"
            ).map(ClientGrant.init)
        }
    }

    /// The grant with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> ClientGrant? {
        try transaction.row("SELECT * FROM client_grant WHERE id = \(id)").map(ClientGrant.init)
    }

    /// Every grant, in the order of the APIs.
    package static func list(in transaction: any SQLTransaction) throws -> [ClientGrant] {
        try transaction.rows("SELECT * FROM client_grant ORDER BY audience, client_id").map(ClientGrant.init)
    }

    /// Inserts the grant, or replaces the one for its client and API.
    package static func save(_ grant: ClientGrant, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO client_grant (id, client_id, audience, document)
            VALUES (\(grant.id), \(grant.clientID), \(grant.audience), \(JSON.text(grant.document)))
            ON CONFLICT (client_id, audience) DO UPDATE SET id = excluded.id, document = excluded.document
            """)
        try TenantStore.configurationChanged(in: transaction)
    }

    /// Removes the grant with this id, where there is one.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM client_grant WHERE id = \(id)")
        try TenantStore.configurationChanged(in: transaction)
    }
}

extension ClientGrant {
    init(_ row: SQLRow) throws {
        try self.init(document: Document(row.json("document"), path: "client grant"), standardID: row.text("id"))
    }
}
