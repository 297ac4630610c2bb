extension OrganizationStore {
    /// Whether a user belongs to an organization.
    package static func isMember(
        _ userID: String, of id: String, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.row(
            "SELECT user_id FROM organization_member WHERE organization_id = \(id) AND user_id = \(userID)") != nil
    }

    /// Makes a user a member; one who is stays as they are.
    /// - Throws: ``SQLError/foreignKeyViolation`` where either does not exist.
    package static func addMember(_ userID: String, to id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO organization_member (organization_id, user_id) VALUES (\(id), \(userID)) ON CONFLICT DO NOTHING
            """)
    }

    /// Ends a membership, and the roles that it came with.
    package static func removeMember(
        _ userID: String, from id: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "DELETE FROM organization_member WHERE organization_id = \(id) AND user_id = \(userID)")
    }

    /// The members of an organization in the order of their ids, from the one after `after` on.
    /// - Parameter roleID: only those who have this role there.
    package static func members(
        of id: String, roleID: String? = nil, after: String = "", start: Int = 0, limit: Int,
        in transaction: any SQLTransaction
    ) throws -> [User] {
        let table: SQL = roleID == nil ? "organization_member" : "organization_member_role"
        let role: SQL = roleID.map { "AND member.role_id = \($0)" } ?? ""
        return try transaction.rows(
            """
            SELECT user_account.* FROM user_account
            JOIN \(part: table) AS member ON member.user_id = user_account.user_id
            WHERE member.organization_id = \(id) AND user_account.user_id > \(after) \(part: role)
            ORDER BY user_account.user_id LIMIT \(limit) OFFSET \(start)
            """
        ).map(User.init)
    }

    /// How many members an organization has.
    package static func countMembers(of id: String, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS members FROM organization_member WHERE organization_id = \(id)")?
            .integer("members") ?? 0
    }

    /// The organizations that a user belongs to, in the order of their names.
    package static func organizations(
        of userID: String, in transaction: any SQLTransaction
    ) throws -> [Organization] {
        try transaction.rows(
            """
            SELECT organization.* FROM organization
            JOIN organization_member ON organization_member.organization_id = organization.id
            WHERE user_id = \(userID) ORDER BY name
            """
        ).map(Organization.init)
    }

    /// The roles that a member has in an organization, without their permissions, in the order of the names.
    package static func roles(
        of userID: String, in id: String, _ transaction: any SQLTransaction
    ) throws -> [Role] {
        try transaction.rows(
            """
            SELECT role.* FROM role JOIN organization_member_role AS member ON member.role_id = role.id
            WHERE member.organization_id = \(id) AND member.user_id = \(userID) ORDER BY name
            """
        ).map { row in
            Role(
                id: try row.text("id"), name: try row.text("name"), description: row.optionalText("description"),
                permissions: [])
        }
    }

    /// Gives a member a role in the organization.
    /// - Throws: ``SQLError/foreignKeyViolation`` where the user is no member, or there is no such role.
    package static func assign(
        roleID: String, to userID: String, in id: String, _ transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO organization_member_role (organization_id, user_id, role_id)
            VALUES (\(id), \(userID), \(roleID)) ON CONFLICT DO NOTHING
            """)
    }

    /// Takes a role from a member.
    package static func withdraw(
        roleID: String, from userID: String, in id: String, _ transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            DELETE FROM organization_member_role
            WHERE organization_id = \(id) AND user_id = \(userID) AND role_id = \(roleID)
            """)
    }

    /// The permissions that a member has for an API by their roles in the organization, in alphabetical order.
    package static func permissions(
        of userID: String, in id: String, audience: String, _ transaction: any SQLTransaction
    ) throws -> [String] {
        try transaction.rows(
            """
            SELECT DISTINCT permission FROM role_permission
            JOIN organization_member_role AS member ON member.role_id = role_permission.role_id
            WHERE member.organization_id = \(id) AND member.user_id = \(userID) AND audience = \(audience)
            ORDER BY permission
            """
        ).map { try $0.text("permission") }
    }
}
