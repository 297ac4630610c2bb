extension Migration {
    /// The words that users are found by without a field. Those who are there already are looked at one by one until they
    /// are written again.
    static let userWords = Migration(
        number: 24, name: "user-words",
        statements: ["INSERT INTO user_term (field, value, user_id) SELECT '', 'word', user_id FROM user_account"])
}
