extension Migration {
    /// Consents are for one organization, and opaque access tokens remember theirs. A constraint that SQLite has made with a
    /// table cannot be changed, so the consents move to a new one.
    static let organizationConsents = Migration(
        number: 25, name: "organization consents",
        statements: [
            "ALTER TABLE consent_grant RENAME TO former_consent_grant",
            """
            CREATE TABLE consent_grant (
                id \(.textColumn) PRIMARY KEY,
                user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
                client_id \(.textColumn) NOT NULL REFERENCES client (client_id) ON DELETE CASCADE,
                audience \(.textColumn) NOT NULL,
                organization_id \(.textColumn) NOT NULL,
                scope \(.textColumn) NOT NULL,
                created_at BIGINT NOT NULL,
                UNIQUE (user_id, client_id, audience, organization_id))
            """,
            """
            INSERT INTO consent_grant (id, user_id, client_id, audience, organization_id, scope, created_at)
            SELECT id, user_id, client_id, audience, '', scope, created_at FROM former_consent_grant
            """,
            "DROP TABLE former_consent_grant",
            "CREATE INDEX consent_grant_client ON consent_grant (client_id)",
            "ALTER TABLE access_token ADD COLUMN organization_id \(.textColumn)",
        ])
}
