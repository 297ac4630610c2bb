extension Migration {
    /// The tenant's configuration, its users, and what is issued to them.
    ///
    /// Configuration is a document with its keys beside it, because Auth0 adds fields to it every month; whatever the
    /// protocol issues has a column for each value. Times are milliseconds since 1970.
    static let initial = Migration(
        number: 1, name: "initial",
        statements: configuration + users + issued)

    private static let configuration: [SQL] = [
        """
        CREATE TABLE tenant (
            id BIGINT PRIMARY KEY CHECK (id = 1),
            document \(.textColumn) NOT NULL,
            configuration_version BIGINT NOT NULL)
        """,
        "INSERT INTO tenant (id, document, configuration_version) VALUES (1, '{}', 1)",
        """
        CREATE TABLE client (
            client_id \(.textColumn) PRIMARY KEY,
            name \(.textColumn) NOT NULL,
            document \(.textColumn) NOT NULL,
            secret_digest \(.textColumn),
            sealed_secret \(.textColumn),
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE resource_server (
            id \(.textColumn) PRIMARY KEY,
            identifier \(.textColumn) NOT NULL UNIQUE,
            name \(.textColumn) NOT NULL,
            document \(.textColumn) NOT NULL,
            sealed_signing_secret \(.textColumn))
        """,
        """
        CREATE TABLE client_grant (
            id \(.textColumn) PRIMARY KEY,
            client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
            audience \(.textColumn) NOT NULL REFERENCES resource_server (identifier) ON DELETE CASCADE,
            document \(.textColumn) NOT NULL,
            UNIQUE (client_id, audience))
        """,
        "CREATE INDEX client_grant_audience ON client_grant (audience)",
        """
        CREATE TABLE connection (
            id \(.textColumn) PRIMARY KEY,
            name \(.textColumn) NOT NULL UNIQUE,
            strategy \(.textColumn) NOT NULL,
            document \(.textColumn) NOT NULL)
        """,
        """
        CREATE TABLE role (
            id \(.textColumn) PRIMARY KEY,
            name \(.textColumn) NOT NULL UNIQUE,
            description \(.textColumn))
        """,
        """
        CREATE TABLE role_permission (
            role_id \(.textColumn) NOT NULL REFERENCES role (id) ON DELETE CASCADE,
            audience \(.textColumn) NOT NULL REFERENCES resource_server (identifier) ON DELETE CASCADE,
            permission \(.textColumn) NOT NULL,
            PRIMARY KEY (role_id, audience, permission))
        """,
        "CREATE INDEX role_permission_audience ON role_permission (audience)",
        """
        CREATE TABLE signing_key (
            kid \(.textColumn) PRIMARY KEY,
            state \(.textColumn) NOT NULL CHECK (state IN ('next', 'current', 'previous')),
            sealed_private_key \(.textColumn) NOT NULL,
            certificate \(.textColumn) NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX signing_key_only_one ON signing_key (state) WHERE state <> 'previous'",
    ]

    private static let users: [SQL] = [
        """
        CREATE TABLE user_account (
            user_id \(.textColumn) PRIMARY KEY,
            connection \(.textColumn) NOT NULL,
            email \(.textColumn),
            email_verified BOOLEAN NOT NULL,
            username \(.textColumn),
            profile \(.textColumn) NOT NULL,
            user_metadata \(.textColumn) NOT NULL,
            app_metadata \(.textColumn) NOT NULL,
            blocked BOOLEAN NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            last_login BIGINT,
            logins_count BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX user_account_email ON user_account (connection, email)",
        "CREATE UNIQUE INDEX user_account_username ON user_account (connection, username)",
        """
        CREATE TABLE user_password (
            user_id \(.textColumn) PRIMARY KEY REFERENCES user_account (user_id) ON DELETE CASCADE,
            hash \(.textColumn) NOT NULL,
            changed_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE user_role (
            user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
            role_id \(.textColumn) NOT NULL REFERENCES role (id) ON DELETE CASCADE,
            PRIMARY KEY (user_id, role_id))
        """,
        "CREATE INDEX user_role_role ON user_role (role_id)",
        """
        CREATE TABLE user_permission (
            user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
            audience \(.textColumn) NOT NULL REFERENCES resource_server (identifier) ON DELETE CASCADE,
            permission \(.textColumn) NOT NULL,
            PRIMARY KEY (user_id, audience, permission))
        """,
        "CREATE INDEX user_permission_audience ON user_permission (audience)",
        """
        CREATE TABLE failed_login (
            identifier_digest \(.textColumn) NOT NULL,
            address \(.textColumn) NOT NULL,
            failures BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            PRIMARY KEY (identifier_digest, address))
        """,
        "CREATE INDEX failed_login_expires ON failed_login (expires_at)",
    ]

    /// A code lives for minutes, and its redemption looks for the client and the user anyway: it has no references, whose
    /// checks and indexes every login would pay for.
    private static let issued: [SQL] = [
        """
        CREATE TABLE session (
            digest \(.textColumn) PRIMARY KEY,
            sid \(.textColumn) NOT NULL UNIQUE,
            user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
            session_connection \(.textColumn) NOT NULL,
            authenticated_at BIGINT NOT NULL,
            last_used_at BIGINT NOT NULL,
            idle_expires_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL)
        """,
        // Quoted, because the name is a word of PostgreSQL's.
        "CREATE INDEX \"session_user\" ON session (user_id)",
        "CREATE INDEX session_expires ON session (expires_at)",
        "CREATE INDEX session_idle_expires ON session (idle_expires_at)",
        """
        CREATE TABLE login_transaction (
            digest \(.textColumn) PRIMARY KEY,
            browser_digest \(.textColumn) NOT NULL,
            client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
            parameters \(.textColumn) NOT NULL,
            progress \(.textColumn) NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL)
        """,
        "CREATE INDEX login_transaction_browser ON login_transaction (browser_digest, created_at)",
        "CREATE INDEX login_transaction_client ON login_transaction (client_id)",
        "CREATE INDEX login_transaction_expires ON login_transaction (expires_at)",
        """
        CREATE TABLE authorization_code (
            digest \(.textColumn) PRIMARY KEY,
            authorization_id \(.textColumn) NOT NULL,
            client_id \(.textColumn) NOT NULL,
            user_id \(.textColumn) NOT NULL,
            redirect_uri \(.textColumn),
            scope \(.textColumn) NOT NULL,
            audience \(.textColumn),
            nonce \(.textColumn),
            code_challenge \(.textColumn),
            code_challenge_method \(.textColumn),
            sid \(.textColumn) NOT NULL,
            authenticated_at BIGINT NOT NULL,
            shows_auth_time BOOLEAN NOT NULL,
            redeemed_at BIGINT,
            expires_at BIGINT NOT NULL)
        """,
        "CREATE INDEX authorization_code_expires ON authorization_code (expires_at)",
        """
        CREATE TABLE access_token (
            digest \(.textColumn) PRIMARY KEY,
            authorization_id \(.textColumn) NOT NULL,
            client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
            user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
            scope \(.textColumn) NOT NULL,
            expires_at BIGINT NOT NULL)
        """,
        "CREATE INDEX access_token_authorization ON access_token (authorization_id)",
        "CREATE INDEX access_token_client ON access_token (client_id)",
        "CREATE INDEX access_token_user ON access_token (user_id)",
        "CREATE INDEX access_token_expires ON access_token (expires_at)",
        """
        CREATE TABLE refresh_token_family (
            id \(.textColumn) PRIMARY KEY,
            authorization_id \(.textColumn) NOT NULL,
            client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
            user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
            audience \(.textColumn),
            scope \(.textColumn) NOT NULL,
            sid \(.textColumn) NOT NULL,
            authenticated_at BIGINT NOT NULL,
            shows_auth_time BOOLEAN NOT NULL,
            rotating BOOLEAN NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT)
        """,
        "CREATE INDEX refresh_token_family_authorization ON refresh_token_family (authorization_id)",
        "CREATE INDEX refresh_token_family_owner ON refresh_token_family (user_id, client_id, created_at, id)",
        "CREATE INDEX refresh_token_family_client ON refresh_token_family (client_id)",
        "CREATE INDEX refresh_token_family_expires ON refresh_token_family (expires_at)",
        """
        CREATE TABLE refresh_token (
            digest \(.textColumn) PRIMARY KEY,
            family_id \(.textColumn) NOT NULL REFERENCES refresh_token_family (id) ON DELETE CASCADE,
            generation BIGINT NOT NULL,
            issued_at BIGINT NOT NULL,
            last_used_at BIGINT NOT NULL,
            replaced_at BIGINT)
        """,
        "CREATE INDEX refresh_token_family_generation ON refresh_token (family_id, generation)",
        """
        CREATE TABLE consent_grant (
            id \(.textColumn) PRIMARY KEY,
            user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
            client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
            audience \(.textColumn) NOT NULL,
            scope \(.textColumn) NOT NULL,
            created_at BIGINT NOT NULL,
            UNIQUE (user_id, client_id, audience))
        """,
        "CREATE INDEX consent_grant_client ON consent_grant (client_id)",
    ]
}
