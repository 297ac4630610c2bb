extension Migration {
    /// Second factors: what users have enrolled, the browsers that need none for a while, and when it was asked for last.
    static let multiFactor = Migration(
        number: 30, name: "multi-factor authentication",
        statements: [
            """
            CREATE TABLE authenticator (
                user_id \(.textColumn) PRIMARY KEY REFERENCES user_account (user_id) ON DELETE CASCADE,
                id \(.textColumn) NOT NULL UNIQUE,
                sealed_secret \(.textColumn) NOT NULL,
                last_step BIGINT NOT NULL,
                enrolled_at BIGINT NOT NULL,
                last_used_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE recovery_code (
                user_id \(.textColumn) PRIMARY KEY REFERENCES user_account (user_id) ON DELETE CASCADE,
                code_digest \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE remembered_browser (
                digest \(.textColumn) PRIMARY KEY,
                user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX remembered_browser_user ON remembered_browser (user_id)",
            "CREATE INDEX remembered_browser_expires ON remembered_browser (expires_at)",
            "ALTER TABLE session ADD COLUMN multi_factor_at BIGINT",
            "ALTER TABLE authorization_code ADD COLUMN multi_factor_at BIGINT",
            "ALTER TABLE device_code ADD COLUMN multi_factor_at BIGINT",
            "ALTER TABLE refresh_token_family ADD COLUMN multi_factor_at BIGINT",
        ])
}
