extension Migration {
    /// The requests of devices without a browser. Like an authorization code a row lives for minutes, and its redemption
    /// looks for the client and the user anyway, so it has no references.
    static let deviceCodes = Migration(
        number: 8, name: "device codes",
        statements: [
            """
            CREATE TABLE device_code (
                digest \(.textColumn) PRIMARY KEY,
                user_code_digest \(.textColumn) NOT NULL UNIQUE,
                authorization_id \(.textColumn) NOT NULL,
                client_id \(.textColumn) NOT NULL,
                scope \(.textColumn) NOT NULL,
                audience \(.textColumn),
                status \(.textColumn) NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'redeemed')),
                user_id \(.textColumn),
                sid \(.textColumn),
                authenticated_at BIGINT,
                poll_interval BIGINT NOT NULL,
                polled_at BIGINT,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX device_code_expires ON device_code (expires_at)",
        ])
}
