extension Migration {
    /// Users who are another one's identity, and what users are looked for by.
    static let linkedUsers = Migration(
        number: 14, name: "linked-users",
        statements: [
            "ALTER TABLE user_account ADD COLUMN primary_user_id \(.textColumn)",
            "CREATE INDEX user_account_primary ON user_account (primary_user_id)",
            "CREATE INDEX user_account_any_email ON user_account (email)",
            "CREATE INDEX user_account_created ON user_account (created_at, user_id)",
        ])
}
