extension Migration {
    /// What users are found by. Those who are there already are looked at one by one until they are written again.
    static let userTerms = Migration(
        number: 17, name: "user-terms",
        statements: [
            """
            CREATE TABLE user_term (
                field \(.textColumn) NOT NULL,
                value \(.textColumn) NOT NULL,
                user_id \(.textColumn) NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
                PRIMARY KEY (field, value, user_id))
            """,
            "CREATE INDEX user_term_user ON user_term (user_id)",
            "CREATE INDEX user_account_any_username ON user_account (username)",
            "INSERT INTO user_term (field, value, user_id) SELECT '', '*', user_id FROM user_account",
        ])
}
