extension Migration {
    /// What has happened, for whoever asks later. The ids are in the order of time, so that nothing else need be sorted by.
    static let logEvents = Migration(
        number: 12, name: "log events",
        statements: [
            """
            CREATE TABLE log_event (
                log_id \(.textColumn) PRIMARY KEY,
                happened_at BIGINT NOT NULL,
                type \(.textColumn) NOT NULL,
                description \(.textColumn),
                client_id \(.textColumn),
                client_name \(.textColumn),
                connection \(.textColumn),
                connection_id \(.textColumn),
                ip \(.textColumn),
                user_agent \(.textColumn),
                user_id \(.textColumn),
                user_name \(.textColumn),
                hostname \(.textColumn),
                audience \(.textColumn),
                scope \(.textColumn),
                strategy \(.textColumn),
                strategy_type \(.textColumn),
                is_mobile BOOLEAN NOT NULL,
                details \(.textColumn) NOT NULL)
            """,
            "CREATE INDEX log_event_user ON log_event (user_id, log_id)",
            "CREATE INDEX log_event_type ON log_event (type, log_id)",
        ])
}
