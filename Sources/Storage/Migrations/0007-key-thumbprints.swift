extension Migration {
    /// What is bound to a client's key has the key's thumbprint.
    static let keyThumbprints = Migration(
        number: 7, name: "key thumbprints",
        statements: [
            "ALTER TABLE authorization_code ADD COLUMN key_thumbprint \(.textColumn)",
            "ALTER TABLE access_token ADD COLUMN key_thumbprint \(.textColumn)",
            "ALTER TABLE refresh_token_family ADD COLUMN key_thumbprint \(.textColumn)",
        ])
}
