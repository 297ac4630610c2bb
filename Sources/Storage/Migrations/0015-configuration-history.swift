extension Migration {
    /// What each apply has changed, so that it can be taken back.
    static let configurationHistory = Migration(
        number: 15, name: "configuration history",
        statements: [
            """
            CREATE TABLE configuration_apply (
                id BIGINT PRIMARY KEY,
                applied_at BIGINT NOT NULL,
                applied_by \(.textColumn) NOT NULL,
                changes BIGINT NOT NULL,
                summary \(.textColumn) NOT NULL,
                sealed_rows \(.textColumn) NOT NULL,
                rolled_back_at BIGINT)
            """
        ])
}
