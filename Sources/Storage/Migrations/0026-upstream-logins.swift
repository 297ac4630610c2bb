extension Migration {
    /// Logins at other providers: what is under way, the tokens that they gave, and the secrets of their connections. Whoever
    /// signs in elsewhere may have an address that somebody else has too, as their provider does not verify it.
    static let upstreamLogins = Migration(
        number: 26, name: "upstream logins",
        statements: [
            "ALTER TABLE connection ADD COLUMN sealed_secrets \(.textColumn)",
            """
            CREATE TABLE upstream_transaction (
                digest \(.textColumn) PRIMARY KEY,
                browser_digest \(.textColumn) NOT NULL,
                connection_id \(.textColumn) NOT NULL,
                sealed_memory \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX upstream_transaction_browser ON upstream_transaction (browser_digest)",
            "CREATE INDEX upstream_transaction_expires ON upstream_transaction (expires_at)",
            """
            CREATE TABLE upstream_token (
                user_id \(.textColumn) PRIMARY KEY REFERENCES user_account (user_id) ON DELETE CASCADE,
                sealed_tokens \(.textColumn) NOT NULL)
            """,
            "DROP INDEX user_account_email",
            "CREATE INDEX user_account_connection_email ON user_account (connection, email)",
            """
            CREATE UNIQUE INDEX user_account_email ON user_account (connection, email)
            WHERE substr(user_id, 1, 6) IN ('auth0|', 'email|')
            """,
        ])
}
