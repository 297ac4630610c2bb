extension UserStore {
    /// In which order users are found.
    package struct Order: Sendable, Hashable {
        /// What users can be sorted by.
        package enum Key: String, Sendable, CaseIterable {
            case userID = "user_id"
            case email, username, connection
            case createdAt = "created_at"
            case updatedAt = "updated_at"
            case lastLogin = "last_login"
            case loginsCount = "logins_count"
            case name, nickname
            case givenName = "given_name"
            case familyName = "family_name"
        }

        package let key: Key
        package let isDescending: Bool

        package init(_ key: Key, isDescending: Bool = false) { (self.key, self.isDescending) = (key, isDescending) }

        private var isOptional: Bool { ![.userID, .connection, .createdAt, .updatedAt, .loginsCount].contains(key) }

        fileprivate var sql: SQL {
            let value: SQL =
                switch key {
                case .userID: "user_id"
                case .email: "email"
                case .username: "username"
                case .connection: "connection"
                case .createdAt: "created_at"
                case .updatedAt: "updated_at"
                case .lastLogin: "last_login"
                case .loginsCount: "logins_count"
                case .name: "lower(\(.jsonMember("profile", "name")))"
                case .nickname: "lower(\(.jsonMember("profile", "nickname")))"
                case .givenName: "lower(\(.jsonMember("profile", "given_name")))"
                case .familyName: "lower(\(.jsonMember("profile", "family_name")))"
                }
            guard isOptional else {
                return isDescending ? "\(part: value) DESC, user_id DESC" : "\(part: value), user_id"
            }
            // The databases disagree on where NULL belongs.
            return isDescending
                ? "(\(part: value)) IS NULL, \(part: value) DESC, user_id DESC"
                : "(\(part: value)) IS NULL, \(part: value), user_id"
        }
    }

    /// Not another user's identity. Nearly everybody is none: an index of them would lead a search astray.
    private static let isUser: SQL = "COALESCE(primary_user_id, '') = ''"

    /// The users that `filter` lets through.
    package static func search(
        _ filter: UserFilter, order: Order, start: Int, limit: Int, in transaction: any SQLTransaction
    ) throws -> [User] {
        try transaction.rows(
            """
            SELECT * FROM user_account WHERE \(part: isUser) AND (\(part: filter.sql)) ORDER BY \(part: order.sql)
            LIMIT \(limit) OFFSET \(start)
            """
        ).map(User.init)
    }

    /// How many users `filter` lets through.
    package static func count(_ filter: UserFilter, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row(
            """
            SELECT COUNT(*) AS users FROM user_account WHERE \(part: isUser) AND (\(part: filter.sql))
            """)?.integer("users") ?? 0
    }
}
