extension Migration {
    /// Codes that are sent to addresses, in place of passwords.
    static let passwordlessCodes = Migration(
        number: 27, name: "passwordless codes",
        statements: [
            """
            CREATE TABLE passwordless_code (
                subject_digest \(.textColumn) PRIMARY KEY,
                code_digest \(.textColumn) NOT NULL,
                tries INTEGER NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX passwordless_code_expires ON passwordless_code (expires_at)",
        ])
}
