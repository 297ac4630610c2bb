extension Migration {
    /// The organizations that users have signed in to.
    static let organizationLogins = Migration(
        number: 20, name: "organization logins",
        statements: [
            "ALTER TABLE authorization_code ADD COLUMN organization_id \(.textColumn)",
            "ALTER TABLE refresh_token_family ADD COLUMN organization_id \(.textColumn)",
        ])
}
