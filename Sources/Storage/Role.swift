import OAuth

/// A named set of permissions that users are given: Auth0's role.
package struct Role: Sendable, Hashable {
    /// `rol_` and 16 letters and digits.
    package var id: String
    package var name: String
    package var description: String?
    package var permissions: Set<Permission> = []

    /// One scope of one API.
    package struct Permission: Sendable, Hashable {
        /// The API's identifier.
        package let audience: String
        package let name: String

        package init(audience: String, name: String) { (self.audience, self.name) = (audience, name) }
    }

    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        name = try document.requiredString("name", most: 255)
        description = try document.string("description")
        for var permission in try document.documents("permissions") ?? [] {
            permissions.insert(
                Permission(
                    audience: try permission.requiredString("resource_server_identifier", most: 600),
                    name: try permission.requiredString("permission_name", most: 280)))
            _ = try permission.remaining(known: ["resource_server_name", "description"])
        }
        _ = try document.remaining(known: [])
    }

    init(id: String, name: String, description: String?, permissions: Set<Permission>) {
        (self.id, self.name, self.description, self.permissions) = (id, name, description, permissions)
    }

    /// The role as the Deploy CLI writes it.
    package var document: JSONObject {
        var members: JSONObject = ["id": .string(id), "name": .string(name)]
        members["description"] = description.map(JSONValue.string)
        members["permissions"] = .array(
            permissions.sorted { ($0.audience, $0.name) < ($1.audience, $1.name) }.map { permission in
                [
                    "permission_name": .string(permission.name),
                    "resource_server_identifier": .string(permission.audience),
                ]
            })
        return members
    }
}

/// The roles of the tenant, and who has which permission.
package struct RoleStore: Sendable {
    let database: any SQLDatabase

    /// Every role with its permissions, in the order of the names.
    package static func list(in transaction: any SQLTransaction) throws -> [Role] {
        var permissions: [String: Set<Role.Permission>] = [:]
        for row in try transaction.rows("SELECT * FROM role_permission") {
            try permissions[row.text("role_id"), default: []]
                .insert(Role.Permission(audience: row.text("audience"), name: row.text("permission")))
        }
        return try transaction.rows("SELECT * FROM role ORDER BY name").map { row in
            let id = try row.text("id")
            return Role(
                id: id, name: try row.text("name"), description: row.optionalText("description"),
                permissions: permissions[id] ?? [])
        }
    }

    /// Inserts the role, or replaces the one with its name.
    /// - Throws: ``SQLError/foreignKeyViolation`` for a permission of an API that does not exist.
    package static func save(_ role: Role, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO role (id, name, description) VALUES (\(role.id), \(role.name), \(role.description))
            ON CONFLICT (name) DO UPDATE SET description = excluded.description
            """)
        let id = try transaction.row("SELECT id FROM role WHERE name = \(role.name)")?.text("id") ?? role.id
        try transaction.execute("DELETE FROM role_permission WHERE role_id = \(id)")
        for permission in role.permissions {
            try transaction.execute(
                """
                INSERT INTO role_permission (role_id, audience, permission)
                VALUES (\(id), \(permission.audience), \(permission.name))
                """)
        }
    }

    /// Removes the role with this name, where there is one, from everybody who has it.
    package static func delete(name: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM role WHERE name = \(name)")
    }

    /// Gives a user a role.
    /// - Throws: ``SQLError/foreignKeyViolation`` where either does not exist.
    package static func assign(roleID: String, to userID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO user_role (user_id, role_id) VALUES (\(userID), \(roleID)) ON CONFLICT DO NOTHING")
    }

    /// The permissions that a user has for an API, by roles and directly, in alphabetical order.
    package static func permissions(
        of userID: String, audience: String, in transaction: any SQLTransaction
    ) throws -> [String] {
        try transaction.rows(
            """
            SELECT permission FROM role_permission JOIN user_role ON user_role.role_id = role_permission.role_id
            WHERE user_role.user_id = \(userID) AND audience = \(audience)
            UNION SELECT permission FROM user_permission WHERE user_id = \(userID) AND audience = \(audience)
            ORDER BY permission
            """
        ).map { try $0.text("permission") }
    }
}
