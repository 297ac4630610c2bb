import Foundation

/// What an administrator should know about the server that a node works with: `portico doctor` judges it.
package struct PostgresFacts: Sendable {
    /// Such as `15.18 (Debian 15.18-0+deb12u1)`.
    package let version: String
    /// Whether the connection is encrypted; `TLSv1.3` and the like, or nil.
    package let tls: String?
    /// Whether it stays on this machine: a socket, or a loopback address.
    package let isLocal: Bool
    /// What a transaction gets that does not say; Portico's say.
    package let standardIsolation: String
    /// Whether a commit is on the disk before it is acknowledged, for this session.
    package let synchronousCommit: String
    package let hasFsync: Bool
    package let hasFullPageWrites: Bool
    package let maxConnections: Int
    /// Kept for administrators.
    package let reservedConnections: Int
    /// Of all clients, now.
    package let openConnections: Int
    /// How far the server's clock is ahead of the caller's, in seconds.
    package let clockAhead: TimeInterval
    /// Tables of the tenant's that the user may not read and write.
    package let forbiddenTables: [String]
    /// Whether the user may make tables in the schema, as migrations do.
    package let mayCreateTables: Bool
}

extension PostgresDatabase {
    /// Asks the server.
    /// - Parameter now: the caller's clock.
    package func facts(now: @escaping @Sendable () -> Date) async throws -> PostgresFacts {
        try await read { transaction in
            let asked = now()
            guard let row = try transaction.row(Self.question) else { throw SQLError.failed("no answer") }
            let answered = now()
            // The server looked at its clock about half-way.
            let middle = asked.addingTimeInterval(answered.timeIntervalSince(asked) / 2)
            let forbidden = try transaction.rows(
                """
                SELECT relname FROM pg_class
                WHERE relkind = 'r' AND relnamespace = to_regnamespace(quote_ident(current_schema()))
                    AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                        AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
                ORDER BY relname
                """)
            return PostgresFacts(
                version: try row.text("version"), tls: row.optionalText("tls"), isLocal: try row.bool("is_local"),
                standardIsolation: try row.text("isolation"), synchronousCommit: try row.text("synchronous_commit"),
                hasFsync: try row.bool("fsync"), hasFullPageWrites: try row.bool("full_page_writes"),
                maxConnections: try row.integer("max_connections"), reservedConnections: try row.integer("reserved"),
                openConnections: try row.integer("open"),
                clockAhead: try row.date("clock").timeIntervalSince(middle),
                forbiddenTables: try forbidden.map { try $0.text("relname") },
                mayCreateTables: try row.bool("may_create"))
        }
    }

    private static let question: SQL = """
        SELECT current_setting('server_version') AS version,
            (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls,
            COALESCE(inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1', TRUE) AS is_local,
            current_setting('default_transaction_isolation') AS isolation,
            current_setting('synchronous_commit') AS synchronous_commit,
            current_setting('fsync')::BOOLEAN AS fsync, current_setting('full_page_writes')::BOOLEAN AS full_page_writes,
            current_setting('max_connections')::BIGINT AS max_connections,
            current_setting('superuser_reserved_connections')::BIGINT AS reserved,
            (SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS open,
            (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AS clock,
            has_schema_privilege(current_schema(), 'CREATE') AS may_create
        """
}
