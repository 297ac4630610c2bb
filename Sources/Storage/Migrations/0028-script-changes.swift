extension Migration {
    /// What rules and actions have changed of tokens that are yet to be issued, and what the userinfo endpoint tells of it.
    static let scriptChanges = Migration(
        number: 28, name: "script changes",
        statements: [
            "ALTER TABLE authorization_code ADD COLUMN script_changes \(.textColumn)",
            "ALTER TABLE device_code ADD COLUMN script_changes \(.textColumn)",
            """
            CREATE TABLE userinfo_claims (
                authorization_id \(.textColumn) PRIMARY KEY,
                claims \(.textColumn) NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX userinfo_claims_expires ON userinfo_claims (expires_at)",
        ])
}
