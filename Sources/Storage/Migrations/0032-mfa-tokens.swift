extension Migration {
    /// Logins at the token endpoint that wait for a second factor, and the phones that users have enrolled as one.
    static let mfaTokens = Migration(
        number: 32, name: "MFA tokens and phones",
        statements: [
            """
            CREATE TABLE mfa_token (
                digest \(.textColumn) PRIMARY KEY,
                client_id \(.textColumn) NOT NULL,
                user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
                sealed_login \(.textColumn) NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX mfa_token_user ON mfa_token (user_id)",
            "CREATE INDEX mfa_token_expires ON mfa_token (expires_at)",
            """
            CREATE TABLE phone_authenticator (
                user_id \(.textColumn) PRIMARY KEY REFERENCES user_account (user_id) ON DELETE CASCADE,
                id \(.textColumn) NOT NULL UNIQUE,
                phone_number \(.textColumn) NOT NULL,
                enrolled_at BIGINT NOT NULL,
                last_used_at BIGINT NOT NULL)
            """,
        ])
}
