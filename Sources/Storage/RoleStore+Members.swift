extension RoleStore {
    /// The role with this id and its permissions, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> Role? {
        guard let row = try transaction.row("SELECT * FROM role WHERE id = \(id)") else { return nil }
        let permissions = try transaction.rows("SELECT * FROM role_permission WHERE role_id = \(id)")
        return Role(
            id: id, name: try row.text("name"), description: row.optionalText("description"),
            permissions: try Set(permissions.map(Role.Permission.init)))
    }

    /// Inserts the role, or replaces the one with its id.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where another one has its name.
    package static func replace(_ role: Role, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO role (id, name, description) VALUES (\(role.id), \(role.name), \(role.description))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description
            """)
        try transaction.execute("DELETE FROM role_permission WHERE role_id = \(role.id)")
        for permission in role.permissions {
            try transaction.execute(
                """
                INSERT INTO role_permission (role_id, audience, permission)
                VALUES (\(role.id), \(permission.audience), \(permission.name))
                """)
        }
    }

    /// Removes the role with this id, where there is one, from everybody who has it.
    package static func delete(id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM role WHERE id = \(id)")
    }

    /// The roles that a user has, without their permissions, in the order of the names.
    package static func roles(of userID: String, in transaction: any SQLTransaction) throws -> [Role] {
        try transaction.rows(
            """
            SELECT role.* FROM role JOIN user_role ON user_role.role_id = role.id
            WHERE user_role.user_id = \(userID) ORDER BY name
            """
        ).map { row in
            Role(
                id: try row.text("id"), name: try row.text("name"), description: row.optionalText("description"),
                permissions: [])
        }
    }

    /// Takes a role from a user.
    package static func withdraw(
        roleID: String, from userID: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("DELETE FROM user_role WHERE user_id = \(userID) AND role_id = \(roleID)")
    }

    /// The users who have a role, in the order of their ids, from the one after `after` on.
    package static func users(
        havingRole id: String, after: String = "", start: Int = 0, limit: Int, in transaction: any SQLTransaction
    ) throws -> [User] {
        try transaction.rows(
            """
            SELECT user_account.* FROM user_account JOIN user_role ON user_role.user_id = user_account.user_id
            WHERE user_role.role_id = \(id) AND user_account.user_id > \(after)
            ORDER BY user_account.user_id LIMIT \(limit) OFFSET \(start)
            """
        ).map(User.init)
    }

    /// How many users have a role.
    package static func countUsers(havingRole id: String, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS users FROM user_role WHERE role_id = \(id)")?.integer("users") ?? 0
    }

    /// The permissions that a user has directly.
    package static func permissions(
        givenTo userID: String, in transaction: any SQLTransaction
    ) throws -> Set<Role.Permission> {
        try Set(
            transaction.rows("SELECT * FROM user_permission WHERE user_id = \(userID)").map(Role.Permission.init))
    }

    /// The permissions that a user has by a role, each with the roles that give it.
    package static func permissionsByRole(
        of userID: String, in transaction: any SQLTransaction
    ) throws -> [(permission: Role.Permission, roleID: String, roleName: String)] {
        try transaction.rows(
            """
            SELECT role_permission.*, role.name AS role_name FROM role_permission
            JOIN user_role ON user_role.role_id = role_permission.role_id JOIN role ON role.id = user_role.role_id
            WHERE user_role.user_id = \(userID) ORDER BY role.name
            """
        ).map { (try Role.Permission($0), try $0.text("role_id"), try $0.text("role_name")) }
    }

    /// Gives a user a permission.
    /// - Throws: ``SQLError/foreignKeyViolation`` where the user or the API does not exist.
    package static func give(
        _ permission: Role.Permission, to userID: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO user_permission (user_id, audience, permission)
            VALUES (\(userID), \(permission.audience), \(permission.name)) ON CONFLICT DO NOTHING
            """)
    }

    /// Takes a permission from a user, who may still have it by a role.
    package static func take(
        _ permission: Role.Permission, from userID: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            DELETE FROM user_permission
            WHERE user_id = \(userID) AND audience = \(permission.audience) AND permission = \(permission.name)
            """)
    }
}

extension Role.Permission {
    fileprivate init(_ row: SQLRow) throws {
        self.init(audience: try row.text("audience"), name: try row.text("permission"))
    }
}
