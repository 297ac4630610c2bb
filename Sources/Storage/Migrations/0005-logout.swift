extension Migration {
    /// Which applications took part in a session, and which of them still have to be told that it ended.
    ///
    /// A row of `session_client` outlives its session until its application was put down to be told, and one of
    /// `logout_delivery` both: neither has references.
    static let logout = Migration(
        number: 5, name: "logout",
        statements: [
            """
            CREATE TABLE session_client (
                sid \(.textColumn) NOT NULL,
                client_id \(.textColumn) NOT NULL,
                session_sid \(.textColumn) NOT NULL,
                user_id \(.textColumn) NOT NULL,
                expires_at BIGINT NOT NULL,
                PRIMARY KEY (sid, client_id))
            """,
            "CREATE INDEX session_client_session ON session_client (session_sid)",
            "CREATE INDEX session_client_expires ON session_client (expires_at)",
            """
            CREATE TABLE logout_delivery (
                sid \(.textColumn) NOT NULL,
                client_id \(.textColumn) NOT NULL,
                uri \(.textColumn) NOT NULL,
                user_id \(.textColumn) NOT NULL,
                attempts BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                PRIMARY KEY (sid, client_id, uri))
            """,
            "CREATE INDEX logout_delivery_due ON logout_delivery (due_at)",
        ])
}
