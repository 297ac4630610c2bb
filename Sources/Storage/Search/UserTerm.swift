import OAuth

/// What a user can be found by at once, however many there are: a text, whole number or truth of the profile or the
/// metadata, in lower case, below its path.
struct UserTerm: Sendable, Hashable {
    /// The column and the names below it, such as `app_metadata.plan`.
    let field: String
    let value: String

    /// Scalars of a value that count; what is longer is cut off here, and compared in full when it has been found.
    static let longestValue = 128
    static let longestField = 200
    /// Terms that one user has at most.
    static let most = 200

    /// Stands with a user of whom not everything is among the terms.
    static let incomplete = UserTerm(field: "", value: "*")

    /// The terms of a user, with ``incomplete`` where something had to be left out.
    static func all(of user: User) -> Set<UserTerm> {
        var collector = Collector()
        for (column, members) in [
            ("profile", user.profile), ("user_metadata", user.userMetadata), ("app_metadata", user.appMetadata),
        ] {
            collector.collect(members, below: column)
        }
        return UserWord.all(of: user).union(collector.terms).union(collector.isComplete ? [] : [.incomplete])
    }

    /// A text as terms have it, and whether that is all of it.
    static func value(_ text: String) -> (text: String, isWhole: Bool) {
        let scalars = text.lowercased().unicodeScalars
        let part = scalars.prefix(longestValue)
        return (String(String.UnicodeScalarView(part)), part.count < longestValue)
    }

    private struct Collector {
        var terms: Set<UserTerm> = []
        var isComplete = true

        mutating func collect(_ members: JSONObject, below path: String) {
            for (name, value) in members {
                // No query can name such a member.
                guard !name.contains(".") else { continue }
                collect(value, at: "\(path).\(name)", inArray: false)
            }
        }

        private mutating func collect(_ value: JSONValue, at field: String, inArray: Bool) {
            switch value {
            case .string(let text): add(field, text)
            case .bool(let truth): add(field, truth ? "true" : "false")
            case .integer(let number): add(field, String(number))
            case .null: break
            case .object(let members) where !inArray: collect(members, below: field)
            case .array(let elements) where !inArray:
                for element in elements { collect(element, at: field, inArray: true) }
            // The databases write other numbers in ways of their own.
            default: isComplete = false
            }
        }

        private mutating func add(_ field: String, _ text: String) {
            // A database keeps no NUL in a text.
            guard field.unicodeScalars.count <= UserTerm.longestField, terms.count < UserTerm.most,
                !field.utf8.contains(0), !text.utf8.contains(0)
            else {
                isComplete = false
                return
            }
            terms.insert(UserTerm(field: field, value: UserTerm.value(text).text))
        }
    }
}

extension UserTerm {
    /// Writes a new user's terms down.
    static func insert(_ user: User, in transaction: any SQLTransaction) throws {
        for term in all(of: user) {
            try transaction.execute(
                "INSERT INTO user_term (field, value, user_id) VALUES (\(term.field), \(term.value), \(user.id))")
        }
    }

    /// Writes the terms of a user who has changed down.
    static func replace(_ user: User, of userID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM user_term WHERE user_id = \(userID)")
        var user = user
        user.id = userID
        try insert(user, in: transaction)
    }
}

extension UserTerm {
    /// The users whose field is as a search says: through the terms where they can tell, and through `slow`, a condition on
    /// a row of `user_account`, where they cannot.
    static func condition(field: String, _ match: UserFilter.Match, slow: SQL) -> SQL {
        guard field.unicodeScalars.count <= longestField, let terms = terms(field, match) else { return slow }
        let found: SQL = "SELECT user_id FROM user_term WHERE field = \(field) AND \(part: terms.condition)"
        let checked: SQL =
            terms.isExact
            ? found : "SELECT user_id FROM user_account WHERE user_id IN (\(part: found)) AND \(part: slow)"
        return """
            user_id IN (\(part: checked) UNION ALL SELECT user_id FROM user_account WHERE user_id IN (
                SELECT user_id FROM user_term WHERE field = \(incomplete.field) AND value = \(incomplete.value)
            ) AND \(part: slow))
            """
    }

    /// - Returns: the condition on a term, and whether it lets nobody through who should not; nil where terms do not help.
    private static func terms(_ field: String, _ match: UserFilter.Match) -> (condition: SQL, isExact: Bool)? {
        switch match {
        case .equal(let text):
            guard Double(text) == nil || Int64(text) != nil else { return nil }
            let value = value(text)
            return ("value = \(value.text)", value.isWhole)
        case .like(let pattern):
            let start = value(String(pattern.prefix { $0 != "*" && $0 != "?" }))
            guard !start.text.isEmpty else { return nil }
            let isPrefix = pattern.last == "*" && pattern.count { $0 == "*" || $0 == "?" } == 1
            return (beginning("value", start.text), isPrefix && start.isWhole)
        case .exists: return ("1 = 1", true)
        case .range: return nil
        }
    }

    /// Texts that begin so, as a range that an index leads to.
    static func beginning(_ column: StaticName, _ start: String) -> SQL {
        "\(name: column) >= \(start) AND \(name: column) < \(start + "\u{10FFFF}")"
    }
}
