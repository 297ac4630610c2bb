extension Migration {
    /// Work that a node does in the background, with its files and errors.
    static let jobs = Migration(
        number: 16, name: "jobs",
        statements: [
            """
            CREATE TABLE job (
                id \(.textColumn) PRIMARY KEY,
                type \(.textColumn) NOT NULL,
                status \(.textColumn) NOT NULL,
                settings \(.textColumn) NOT NULL,
                progress \(.textColumn) NOT NULL,
                status_details \(.textColumn),
                attempt BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                due_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX job_expires ON job (expires_at)",
            """
            CREATE TABLE job_piece (
                job_id \(.textColumn) NOT NULL REFERENCES job (id) ON DELETE CASCADE,
                number BIGINT NOT NULL,
                content \(.textColumn) NOT NULL,
                PRIMARY KEY (job_id, number))
            """,
            """
            CREATE TABLE job_error (
                job_id \(.textColumn) NOT NULL REFERENCES job (id) ON DELETE CASCADE,
                row_number BIGINT NOT NULL,
                document \(.textColumn) NOT NULL,
                PRIMARY KEY (job_id, row_number))
            """,
        ])
}
