extension Migration {
    /// When a password that another database has was last changed through this server, so that no login with the one before
    /// ends after the change.
    static let externalPasswords = Migration(
        number: 31, name: "external passwords",
        statements: ["ALTER TABLE user_account ADD COLUMN external_password_at BIGINT"])
}
