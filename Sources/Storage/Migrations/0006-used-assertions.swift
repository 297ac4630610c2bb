extension Migration {
    /// Tokens that count once.
    static let usedAssertions = Migration(
        number: 6, name: "used assertions",
        statements: [
            "CREATE TABLE used_assertion (digest \(.textColumn) PRIMARY KEY, expires_at BIGINT NOT NULL)",
            "CREATE INDEX used_assertion_expires ON used_assertion (expires_at)",
        ])
}
