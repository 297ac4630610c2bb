import Foundation

/// What every connection is told at its beginning, and what the first one makes.
enum PostgresSession {
    /// The oldest server that is supported.
    static let oldestVersion = 140_000

    /// The settings of a connection: the tenant's schema, limits for statements and locks, nothing written but by who
    /// says so, and commits that are on the disk before they are acknowledged, even where the server's standard is not to
    /// wait.
    static func begin(_ address: PostgresAddress) -> PostgresCommand {
        func milliseconds(_ duration: Duration) -> String { String(duration.components.seconds * 1000) }
        return PostgresCommand(
            """
            SELECT set_config('search_path', $1, false), set_config('statement_timeout', $2, false),
                set_config('lock_timeout', $3, false), set_config('idle_in_transaction_session_timeout', '20000', false),
                set_config('jit', 'off', false), set_config('default_transaction_read_only', 'on', false),
                set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                    ELSE current_setting('synchronous_commit') END, false)
            """,
            [
                .text(address.quotedSchema), .text(milliseconds(address.statementTimeout)),
                .text(milliseconds(address.lockTimeout)),
            ])
    }

    /// Lifts the limits for one transaction.
    static let unlimited = PostgresCommand(
        """
        SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true),
            set_config('idle_in_transaction_session_timeout', '0', true)
        """)

    /// Makes the server notice within seconds that this node is gone, even in the middle of what it was sending: what the
    /// node had locked is free then. Not every server's system can; it is no loss where it cannot.
    static let noticesLoss = PostgresCommand(
        """
        SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '5', false),
            set_config('tcp_keepalives_count', '3', false), set_config('client_connection_check_interval', '2000', false)
        """)

    /// Checks the server, and makes the tenant's schema where there is none. Nodes that start at once wait for each other.
    /// - Throws: ``SQLError``, or ``Migrations/Foreign``.
    static func prepare(
        _ connection: PostgresConnection, _ address: PostgresAddress, mayCreate: Bool
    ) throws {
        let version = connection.serverVersion
        guard version >= oldestVersion else {
            throw SQLError.unavailable(
                "The server is PostgreSQL \(version / 10_000), and Portico needs \(oldestVersion / 10_000) or newer. "
                    + "Update it.")
        }
        do {
            let answers = try connection.trip([
                PostgresCommand("SELECT current_setting('server_encoding') AS encoding"),
                PostgresCommand("SELECT tablename::TEXT AS name FROM pg_tables WHERE schemaname = current_schema()"),
            ])
            guard answers[0].rows.first?.optionalText("encoding") == "UTF8" else {
                throw SQLError.unavailable(
                    "The database's encoding is not UTF8. Make another: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
                )
            }
            let tables = try Set(answers[1].rows.map { try $0.text("name") })
            if !tables.contains("commit_marker") {
                guard tables.isEmpty || tables.contains("schema_migration") else { throw Migrations.Foreign() }
                guard mayCreate else {
                    throw SQLError.unavailable("The database has no schema '\(address.schema)' of Portico's.")
                }
                try make(connection, address)
            }
            _ = try connection.trip([
                PostgresCommand(PostgresTransaction.Kind.write.rawValue), PostgresCommand(CommitMarker.removeOld),
                PostgresCommand("COMMIT"),
            ])
        } catch let failure as PostgresFailure {
            throw SQLError(failure)
        }
    }

    private static func make(_ connection: PostgresConnection, _ address: PostgresAddress) throws(PostgresFailure) {
        let locked = [
            PostgresCommand(PostgresTransaction.Kind.write.rawValue), unlimited, lock(.migration, address),
        ]
        do {
            _ = try connection.trip(locked, patience: .seconds(600))
            let found = try connection.trip([
                PostgresCommand("SELECT 1 AS one FROM pg_namespace WHERE nspname = $1", [.text(address.schema)])
            ])
            var commands = [PostgresCommand(CommitMarker.table), PostgresCommand("COMMIT")]
            if found[0].rows.isEmpty {
                commands.insert(PostgresCommand("CREATE SCHEMA \(address.quotedSchema)"), at: 0)
            }
            _ = try connection.trip(commands)
        } catch {
            _ = try? connection.trip([PostgresCommand("ROLLBACK")])
            throw error
        }
    }

    /// Other tenants of the database have schemas of their own, and locks of their own.
    static func lock(_ work: ExclusiveWork, _ address: PostgresAddress) -> PostgresCommand {
        PostgresCommand(
            "SELECT pg_advisory_xact_lock(hashtext($1), $2::int)", [.text(address.schema), .integer(work.rawValue)])
    }
}
