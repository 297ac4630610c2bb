extension Migration {
    /// Authorizations that were taken back while signed tokens of theirs were out.
    static let revokedAuthorizations = Migration(
        number: 11, name: "revoked authorizations",
        statements: [
            """
            CREATE TABLE revoked_authorization (
                authorization_id \(.textColumn) PRIMARY KEY,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX revoked_authorization_expires ON revoked_authorization (expires_at)",
        ])
}
