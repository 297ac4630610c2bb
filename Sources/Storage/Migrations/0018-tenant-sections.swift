extension Migration {
    /// Settings of the tenant that have a place of their own, and what applications note with sessions and refresh tokens.
    static let tenantSections = Migration(
        number: 18, name: "tenant-sections",
        statements: [
            "CREATE TABLE tenant_section (name \(.textColumn) PRIMARY KEY, document \(.textColumn) NOT NULL)",
            "ALTER TABLE session ADD COLUMN metadata \(.textColumn)",
            "ALTER TABLE refresh_token_family ADD COLUMN metadata \(.textColumn)",
        ])
}
