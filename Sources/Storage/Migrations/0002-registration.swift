extension Migration {
    /// Clients that register themselves, and how often an address may.
    static let registration = Migration(
        number: 2, name: "registration",
        statements: [
            """
            CREATE TABLE client_registration (
                client_id \(.textColumn) PRIMARY KEY REFERENCES client (client_id) ON DELETE CASCADE,
                access_token_digest \(.textColumn) NOT NULL UNIQUE,
                registered_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE rate_limit (
                subject \(.textColumn) PRIMARY KEY,
                attempts BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX rate_limit_expires ON rate_limit (expires_at)",
        ])
}
