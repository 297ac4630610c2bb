/// A table of the tenant's, for whatever works on all of them alike.
package struct Table: Sendable {
    package let name: String
    let statement: StaticName
    let columns: [StaticName]
    /// The leading columns that are the primary key.
    let key: [StaticName]

    private init(_ name: StaticName, key: [StaticName], _ columns: [StaticName]) {
        (self.name, statement, self.key, self.columns) = (name.text, name, key, key + columns)
    }

    /// Every table that holds a tenant's data, those that others refer to first.
    package static let all: [Table] = [
        Table("tenant", key: ["id"], ["document", "configuration_version"]),
        Table(
            "client", key: ["client_id"],
            ["name", "document", "secret_digest", "sealed_secret", "created_at", "updated_at"]),
        Table("client_registration", key: ["client_id"], ["access_token_digest", "registered_at"]),
        Table("client_metadata_document", key: ["client_id"], ["expires_at"]),
        Table("rate_limit", key: ["subject"], ["attempts", "expires_at"]),
        Table("tenant_section", key: ["name"], ["document"]),
        Table("resource_server", key: ["id"], ["identifier", "name", "document", "sealed_signing_secret"]),
        Table("client_grant", key: ["id"], ["client_id", "audience", "document"]),
        Table(
            "connection", key: ["id"],
            ["name", "strategy", "document", "sealed_import_secret", "sealed_secrets"]),
        Table("email_provider", key: ["name"], ["document", "sealed_credentials"]),
        Table("email_template", key: ["name"], ["document"]),
        Table("role", key: ["id"], ["name", "description"]),
        Table("role_permission", key: ["role_id", "audience", "permission"], []),
        Table("organization", key: ["id"], ["name", "display_name", "document", "created_at"]),
        Table("organization_connection", key: ["organization_id", "connection_id"], ["document"]),
        Table("organization_client_grant", key: ["organization_id", "grant_id"], []),
        Table("signing_key", key: ["kid"], ["kind", "state", "sealed_private_key", "certificate", "created_at"]),
        Table(
            "user_account", key: ["user_id"],
            [
                "connection", "email", "email_verified", "username", "profile", "user_metadata", "app_metadata",
                "blocked", "created_at", "updated_at", "last_login", "logins_count", "primary_user_id",
                "external_password_at",
            ]),
        Table("user_term", key: ["field", "value", "user_id"], []),
        Table("user_password", key: ["user_id"], ["hash", "changed_at"]),
        Table("upstream_token", key: ["user_id"], ["sealed_tokens"]),
        Table(
            "authenticator", key: ["user_id"], ["id", "sealed_secret", "last_step", "enrolled_at", "last_used_at"]),
        Table("recovery_code", key: ["user_id"], ["code_digest", "created_at"]),
        Table("remembered_browser", key: ["digest"], ["user_id", "expires_at"]),
        Table("phone_authenticator", key: ["user_id"], ["id", "phone_number", "enrolled_at", "last_used_at"]),
        Table("mfa_token", key: ["digest"], ["client_id", "user_id", "sealed_login", "expires_at"]),
        Table("user_role", key: ["user_id", "role_id"], []),
        Table("user_permission", key: ["user_id", "audience", "permission"], []),
        Table("organization_member", key: ["organization_id", "user_id"], []),
        Table("organization_member_role", key: ["organization_id", "user_id", "role_id"], []),
        Table(
            "organization_invitation", key: ["id"],
            [
                "organization_id", "ticket_digest", "client_id", "connection_id", "inviter_name", "invitee_email",
                "app_metadata", "user_metadata", "created_at", "expires_at",
            ]),
        Table("organization_invitation_role", key: ["invitation_id", "role_id"], []),
        Table("passwordless_code", key: ["subject_digest"], ["code_digest", "tries", "expires_at", "sealed_link"]),
        Table("failed_login", key: ["identifier_digest", "address"], ["failures", "expires_at"]),
        Table(
            "session", key: ["digest"],
            [
                "sid", "user_id", "session_connection", "authenticated_at", "last_used_at", "idle_expires_at",
                "expires_at", "metadata", "multi_factor_at", "first_device", "last_device", "cookie_mode",
                "recorded_methods",
            ]),
        Table("session_client", key: ["sid", "client_id"], ["session_sid", "user_id", "expires_at"]),
        Table("logout_delivery", key: ["sid", "client_id", "uri"], ["user_id", "attempts", "due_at"]),
        Table(
            "login_transaction", key: ["digest"],
            ["browser_digest", "client_id", "parameters", "progress", "created_at", "expires_at"]),
        Table(
            "upstream_transaction", key: ["digest"],
            ["browser_digest", "connection_id", "sealed_memory", "created_at", "expires_at"]),
        Table(
            "authorization_code", key: ["digest"],
            [
                "authorization_id", "client_id", "user_id", "redirect_uri", "scope", "audience", "nonce",
                "code_challenge", "code_challenge_method", "sid", "authenticated_at", "shows_auth_time", "redeemed_at",
                "expires_at", "claims", "key_thumbprint", "organization_id", "script_changes",
                "multi_factor_at",
            ]),
        Table(
            "device_code", key: ["digest"],
            [
                "user_code_digest", "authorization_id", "client_id", "scope", "audience", "status", "user_id", "sid",
                "authenticated_at", "poll_interval", "polled_at", "expires_at", "script_changes",
                "multi_factor_at",
            ]),
        Table(
            "access_token", key: ["digest"],
            [
                "authorization_id", "client_id", "user_id", "scope", "expires_at", "claims", "key_thumbprint",
                "certificate_thumbprint", "organization_id",
            ]),
        Table(
            "refresh_token_family", key: ["id"],
            [
                "authorization_id", "client_id", "user_id", "audience", "scope", "sid", "authenticated_at",
                "shows_auth_time", "rotating", "created_at", "expires_at", "claims", "key_thumbprint",
                "certificate_thumbprint", "metadata", "organization_id", "multi_factor_at", "idle_expires_at",
                "first_device",
            ]),
        Table(
            "refresh_token", key: ["digest"],
            ["family_id", "generation", "issued_at", "last_used_at", "replaced_at", "device"]),
        Table("userinfo_claims", key: ["authorization_id"], ["claims", "expires_at"]),
        Table("revoked_authorization", key: ["authorization_id"], ["expires_at"]),
        Table("used_assertion", key: ["digest"], ["expires_at"]),
        Table("pushed_request", key: ["digest"], ["client_id", "parameters", "expires_at"]),
        Table(
            "configuration_apply", key: ["id"],
            ["applied_at", "applied_by", "changes", "summary", "sealed_rows", "rolled_back_at"]),
        Table(
            "consent_grant", key: ["id"],
            ["user_id", "client_id", "audience", "organization_id", "scope", "created_at"]),
        Table(
            "log_event", key: ["log_id"],
            [
                "happened_at", "type", "description", "client_id", "client_name", "connection", "connection_id", "ip",
                "user_agent", "user_id", "user_name", "hostname", "audience", "scope", "strategy", "strategy_type",
                "is_mobile", "details",
            ]),
        Table(
            "log_stream", key: ["id"],
            ["name", "document", "sealed_secrets", "status", "last_log_id", "failures", "due_at"]),
        Table(
            "mail", key: ["id"],
            [
                "kind", "recipient", "user_id", "state", "sealed_content", "attempts", "last_problem", "created_at",
                "due_at", "expires_at",
            ]),
        Table(
            "password_reset_request", key: ["id"],
            ["connection", "email", "document", "attempts", "created_at", "due_at"]),
        Table(
            "ticket", key: ["digest"],
            ["kind", "user_id", "email", "settings", "created_at", "expires_at", "used_at"]),
        Table("rule", key: ["id"], ["name", "script", "run_order", "enabled"]),
        Table("rule_configuration", key: ["config_key"], ["sealed_value"]),
        Table(
            "action", key: ["id"],
            ["name", "document", "sealed_secrets", "deployed_version_id", "created_at", "updated_at"]),
        Table(
            "action_version", key: ["id"],
            ["action_id", "version_number", "document", "sealed_secrets", "created_at"]),
        Table(
            "action_binding", key: ["id"],
            ["trigger_id", "run_order", "action_id", "display_name", "created_at", "updated_at"]),
        Table(
            "job", key: ["id"],
            [
                "type", "status", "settings", "progress", "status_details", "attempt", "created_at", "due_at",
                "expires_at",
            ]),
        Table("job_piece", key: ["job_id", "number"], ["content"]),
        Table("job_error", key: ["job_id", "row_number"], ["document"]),
    ]

    /// The names of the columns, the key's first.
    package var columnNames: [String] { columns.map(\.text) }

    /// The number of rows.
    package func count(in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS rows FROM \(name: statement)")?.integer("rows") ?? 0
    }

    /// The rows after a key, in the order of their keys, which is the same in every database; each as its columns' values.
    package func rows(after key: [SQLValue], limit: Int, in transaction: any SQLTransaction) throws -> [[SQLValue]] {
        let found =
            key.isEmpty
            ? try transaction.rows(
                "SELECT \(names: columns) FROM \(name: statement) ORDER BY \(names: self.key) LIMIT \(limit)")
            : try transaction.rows(
                """
                SELECT \(names: columns) FROM \(name: statement) WHERE (\(names: self.key)) > (\(values: key))
                ORDER BY \(names: self.key) LIMIT \(limit)
                """)
        return found.map { row in columns.map { Self.plain(row.value($0.text)) } }
    }

    /// The row with a key, as ``rows(after:limit:in:)`` gives it; nil where there is none.
    func row(with key: [SQLValue], in transaction: any SQLTransaction) throws -> [SQLValue]? {
        try transaction.row(
            "SELECT \(names: columns) FROM \(name: statement) WHERE (\(names: self.key)) = (\(values: key))"
        ).map { row in columns.map { Self.plain(row.value($0.text)) } }
    }

    /// SQLite keeps truth values as numbers.
    private static func plain(_ value: SQLValue?) -> SQLValue {
        if case .bool(let value)? = value { .integer(value ? 1 : 0) } else { value ?? .null }
    }

    /// The key of a row that ``rows(after:limit:in:)`` has returned.
    func key(of row: [SQLValue]) -> [SQLValue] { Array(row.prefix(key.count)) }

    /// Removes the row with a key, where there is one.
    func delete(_ key: [SQLValue], in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM \(name: statement) WHERE (\(names: self.key)) = (\(values: key))")
    }

    /// Writes a row, in place of one with the same key.
    func write(_ row: [SQLValue], in transaction: any SQLTransaction) throws {
        let others = columns.dropFirst(key.count)
        if others.isEmpty {
            try transaction.execute(
                """
                INSERT INTO \(name: statement) (\(names: columns)) VALUES (\(values: row))
                ON CONFLICT (\(names: key)) DO NOTHING
                """)
        } else {
            try transaction.execute(
                """
                INSERT INTO \(name: statement) (\(names: columns)) VALUES (\(values: row))
                ON CONFLICT (\(names: key)) DO UPDATE SET \(excluded: Array(others))
                """)
        }
    }
}
