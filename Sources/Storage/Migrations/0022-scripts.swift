extension Migration {
    /// Rules and actions: the tenant's own JavaScript.
    static let scripts = Migration(
        number: 22, name: "scripts",
        statements: [
            """
            CREATE TABLE rule (
                id \(.textColumn) PRIMARY KEY,
                name \(.textColumn) NOT NULL UNIQUE,
                script \(.textColumn) NOT NULL,
                run_order BIGINT NOT NULL UNIQUE,
                enabled BOOLEAN NOT NULL)
            """,
            """
            CREATE TABLE rule_configuration (
                config_key \(.textColumn) PRIMARY KEY,
                sealed_value \(.textColumn) NOT NULL)
            """,
            """
            CREATE TABLE action (
                id \(.textColumn) PRIMARY KEY,
                name \(.textColumn) NOT NULL UNIQUE,
                document \(.textColumn) NOT NULL,
                sealed_secrets \(.textColumn),
                deployed_version_id \(.textColumn),
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL)
            """,
            """
            CREATE TABLE action_version (
                id \(.textColumn) PRIMARY KEY,
                action_id \(.textColumn) NOT NULL REFERENCES action (id) ON DELETE CASCADE,
                version_number BIGINT NOT NULL,
                document \(.textColumn) NOT NULL,
                sealed_secrets \(.textColumn),
                created_at BIGINT NOT NULL,
                UNIQUE (action_id, version_number))
            """,
            """
            CREATE TABLE action_binding (
                id \(.textColumn) PRIMARY KEY,
                trigger_id \(.textColumn) NOT NULL,
                run_order BIGINT NOT NULL,
                action_id \(.textColumn) NOT NULL REFERENCES action (id) ON DELETE CASCADE,
                display_name \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL,
                updated_at BIGINT NOT NULL,
                UNIQUE (trigger_id, action_id))
            """,
            "CREATE INDEX action_binding_action ON action_binding (action_id)",
        ])
}
