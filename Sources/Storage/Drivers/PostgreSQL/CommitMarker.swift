/// What tells, after a connection was lost in the middle of a commit, whether the commit took place.
///
/// Each connection has a row with the number of its last committed write, which every write counts up. Whoever looks
/// fences the row first: a write of that connection which the server has not finished by then never commits.
enum CommitMarker {
    /// A check of the table refuses the write that would move a fenced row.
    static let table = """
        CREATE TABLE IF NOT EXISTS commit_marker (
            connection TEXT COLLATE "C" PRIMARY KEY,
            number BIGINT NOT NULL,
            fence BIGINT,
            written_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            CHECK (fence IS NULL OR number = fence))
        """

    /// Part of each write, just before its `COMMIT`.
    static func set(_ connection: PostgresConnection) -> PostgresCommand {
        PostgresCommand(
            """
            INSERT INTO commit_marker (connection, number) VALUES ($1, $2)
            ON CONFLICT (connection) DO UPDATE SET number = excluded.number, written_at = excluded.written_at
            """, [.text(connection.id), .integer(connection.writes)])
    }

    /// Returns the number of the connection's last committed write, and lets no later one commit. Waits for one that is
    /// under way.
    static func fence(_ connectionID: String) -> PostgresCommand {
        PostgresCommand(
            """
            INSERT INTO commit_marker (connection, number, fence) VALUES ($1, 0, 0)
            ON CONFLICT (connection) DO UPDATE SET fence = commit_marker.number, written_at = excluded.written_at
            RETURNING number
            """, [.text(connectionID)])
    }

    /// Rows of connections that nobody will ask for any more.
    static let removeOld = "DELETE FROM commit_marker WHERE written_at < now() - INTERVAL '1 day'"
}
