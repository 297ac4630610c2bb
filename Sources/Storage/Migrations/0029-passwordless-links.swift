extension Migration {
    /// Links that are sent in place of codes: one or the other waits, the newest.
    static let passwordlessLinks = Migration(
        number: 29, name: "passwordless links",
        statements: [
            "ALTER TABLE passwordless_code ADD COLUMN sealed_link \(.textColumn)",
            "CREATE INDEX passwordless_code_digest ON passwordless_code (code_digest)",
        ])
}
