extension Migration {
    /// Organizations, who belongs to them, and who is asked to.
    static let organizations = Migration(
        number: 19, name: "organizations",
        statements: [
            """
            CREATE TABLE organization (
                id \(.textColumn) PRIMARY KEY,
                name \(.textColumn) NOT NULL UNIQUE,
                display_name \(.textColumn) NOT NULL,
                document \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL)
            """,
            "CREATE INDEX organization_display_name ON organization (display_name, id)",
            "CREATE INDEX organization_created ON organization (created_at, id)",
            """
            CREATE TABLE organization_connection (
                organization_id \(.textColumn) NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
                connection_id \(.textColumn) NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
                document \(.textColumn) NOT NULL,
                PRIMARY KEY (organization_id, connection_id))
            """,
            "CREATE INDEX organization_connection_connection ON organization_connection (connection_id)",
            """
            CREATE TABLE organization_client_grant (
                organization_id \(.textColumn) NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
                grant_id \(.textColumn) NOT NULL REFERENCES client_grant (id) ON DELETE CASCADE,
                PRIMARY KEY (organization_id, grant_id))
            """,
            "CREATE INDEX organization_client_grant_grant ON organization_client_grant (grant_id)",
            """
            CREATE TABLE organization_member (
                organization_id \(.textColumn) NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
                user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
                PRIMARY KEY (organization_id, user_id))
            """,
            "CREATE INDEX organization_member_user ON organization_member (user_id)",
            """
            CREATE TABLE organization_member_role (
                organization_id \(.textColumn) NOT NULL,
                user_id \(.textColumn) NOT NULL,
                role_id \(.textColumn) NOT NULL REFERENCES role (id) ON DELETE CASCADE,
                PRIMARY KEY (organization_id, user_id, role_id),
                FOREIGN KEY (organization_id, user_id) REFERENCES organization_member (organization_id, user_id)
                    ON DELETE CASCADE)
            """,
            "CREATE INDEX organization_member_role_role ON organization_member_role (role_id)",
            """
            CREATE TABLE organization_invitation (
                id \(.textColumn) PRIMARY KEY,
                organization_id \(.textColumn) NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
                ticket_digest \(.textColumn) NOT NULL UNIQUE,
                client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
                connection_id \(.textColumn) REFERENCES connection (id) ON DELETE CASCADE,
                inviter_name \(.textColumn) NOT NULL,
                invitee_email \(.textColumn) NOT NULL,
                app_metadata \(.textColumn) NOT NULL,
                user_metadata \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX organization_invitation_created ON organization_invitation (organization_id, created_at, id)",
            "CREATE INDEX organization_invitation_client ON organization_invitation (client_id)",
            "CREATE INDEX organization_invitation_connection ON organization_invitation (connection_id)",
            "CREATE INDEX organization_invitation_expires ON organization_invitation (expires_at)",
            """
            CREATE TABLE organization_invitation_role (
                invitation_id \(.textColumn) NOT NULL REFERENCES organization_invitation (id) ON DELETE CASCADE,
                role_id \(.textColumn) NOT NULL REFERENCES role (id) ON DELETE CASCADE,
                PRIMARY KEY (invitation_id, role_id))
            """,
            "CREATE INDEX organization_invitation_role_role ON organization_invitation_role (role_id)",
        ])
}
