extension Migration {
    /// Mail that waits to be sent, what sends it and how it reads, and the tickets that its links carry.
    static let mail = Migration(
        number: 23, name: "mail",
        statements: [
            """
            CREATE TABLE mail (
                id \(.textColumn) PRIMARY KEY,
                kind \(.textColumn) NOT NULL,
                recipient \(.textColumn) NOT NULL,
                user_id \(.textColumn),
                state \(.textColumn) NOT NULL,
                sealed_content \(.textColumn),
                attempts BIGINT NOT NULL,
                last_problem \(.textColumn),
                created_at BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX mail_due ON mail (state, due_at)",
            "CREATE INDEX mail_expiry ON mail (expires_at)",
            """
            CREATE TABLE password_reset_request (
                id \(.textColumn) PRIMARY KEY,
                connection \(.textColumn) NOT NULL,
                email \(.textColumn) NOT NULL,
                document \(.textColumn) NOT NULL,
                attempts BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                due_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE ticket (
                digest \(.textColumn) PRIMARY KEY,
                kind \(.textColumn) NOT NULL,
                user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
                email \(.textColumn),
                settings \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL,
                used_at BIGINT)
            """,
            "CREATE INDEX ticket_user ON ticket (user_id, kind)",
            "CREATE INDEX ticket_expiry ON ticket (expires_at)",
            """
            CREATE TABLE email_provider (
                name \(.textColumn) PRIMARY KEY,
                document \(.textColumn) NOT NULL,
                sealed_credentials \(.textColumn))
            """,
            "CREATE TABLE email_template (name \(.textColumn) PRIMARY KEY, document \(.textColumn) NOT NULL)",
        ])
}
