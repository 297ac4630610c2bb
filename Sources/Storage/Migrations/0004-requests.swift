extension Migration {
    /// Authorization requests that clients push ahead, and the single claims that a request asks for.
    static let requests = Migration(
        number: 4, name: "requests",
        statements: [
            """
            CREATE TABLE pushed_request (
                digest \(.textColumn) PRIMARY KEY,
                client_id \(.textColumn) NOT NULL,
                parameters \(.textColumn) NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX pushed_request_expires ON pushed_request (expires_at)",
            "ALTER TABLE authorization_code ADD COLUMN claims \(.textColumn)",
            "ALTER TABLE access_token ADD COLUMN claims \(.textColumn)",
            "ALTER TABLE refresh_token_family ADD COLUMN claims \(.textColumn)",
        ])
}
