extension Migration {
    /// Where log events are sent, and how far each place has come.
    static let logStreams = Migration(
        number: 13, name: "log streams",
        statements: [
            """
            CREATE TABLE log_stream (
                id \(.textColumn) PRIMARY KEY,
                name \(.textColumn) NOT NULL UNIQUE,
                document \(.textColumn) NOT NULL,
                sealed_secrets \(.textColumn),
                status \(.textColumn) NOT NULL,
                last_log_id \(.textColumn) NOT NULL,
                failures BIGINT NOT NULL,
                due_at BIGINT NOT NULL)
            """
        ])
}
