extension Migration {
    /// Signing keys of several kinds, each with a current and a next one of its own.
    static let signingKeyKinds = Migration(
        number: 3, name: "signing key kinds",
        statements: [
            "ALTER TABLE signing_key ADD COLUMN kind \(.textColumn) NOT NULL DEFAULT 'RSA'",
            "DROP INDEX signing_key_only_one",
            "CREATE UNIQUE INDEX signing_key_only_one ON signing_key (kind, state) WHERE state <> 'previous'",
        ])
}
