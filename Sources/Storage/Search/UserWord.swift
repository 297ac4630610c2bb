import OAuth

/// A word of what a user is called, in lower case: searches that name no field are led by them, however many users there
/// are. They stand among the ``UserTerm``s.
enum UserWord {
    private static let field = "word"
    /// Words that one user has at most.
    private static let most = 60

    /// Stands with a user whose words are not all there: one who was there before words were, or has too many.
    private static let incomplete = UserTerm(field: "", value: field)

    private static let claims = ["name", "nickname", "given_name", "family_name"]

    /// The words of a user: `Jean-Luc` is one, and `jean` and `luc` are two more. Of an address the domain is one.
    static func all(of user: User) -> Set<UserTerm> {
        var words: Set<String> = []
        for text in claims.compactMap({ user.profile[$0]?.string }) + [user.username].compactMap(\.self) {
            words.formUnion(parts(of: text))
        }
        if let email = user.email, let at = email.lastIndex(of: "@") {
            words.formUnion(parts(of: String(email[..<at])))
            words.insert(email[email.index(after: at)...].lowercased())
        }
        words.remove("")
        let terms = words.sorted().prefix(most).map { UserTerm(field: field, value: UserTerm.value($0).text) }
        return Set(terms).union(words.count > most ? [incomplete] : [])
    }

    private static func parts(of text: String) -> Set<String> {
        // A database keeps no NUL in a text.
        guard !text.utf8.contains(0) else { return [] }
        let chunks = text.lowercased().split(whereSeparator: \.isWhitespace)
        let pieces = chunks.flatMap { $0.split { !$0.isLetter && !$0.isNumber } }
        return Set((chunks + pieces).map(String.init))
    }

    /// The users who are called so: whose address or user name begins with the text, or whose words are those of the text,
    /// of which the last need only be the beginning of one. Two letters alone are a whole word.
    static func condition(_ text: String) -> SQL {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
        guard let last = words.last else { return "1 = 0" }
        let isBeginning = last.unicodeScalars.count > 2
        func matches(_ column: SQL, _ word: String) -> SQL {
            let value = UserTerm.value(word).text
            guard isBeginning, word == last else { return "\(part: column) = \(value)" }
            return "\(part: column) >= \(value) AND \(part: column) < \(value + "\u{10FFFF}")"
        }
        // The longest leads to the fewest users; the others are looked up for those.
        let longest = words.max { $0.unicodeScalars.count < $1.unicodeScalars.count } ?? last
        let others = words.filter { $0 != longest }.reduce("") { (found: SQL, word) in
            """
            \(part: found) AND EXISTS (SELECT 1 FROM user_term AS other WHERE other.field = \(field)
                AND other.user_id = longest.user_id AND \(part: matches("other.value", word)))
            """
        }
        let byWords: SQL = """
            SELECT longest.user_id FROM user_term AS longest WHERE longest.field = \(field)
                AND \(part: matches("longest.value", longest))\(part: others)
            """
        let byName: SQL =
            words.count == 1
            ? "\(part: matches("email", last)) OR \(part: matches("username", last)) OR " : ""
        return """
            \(part: byName)user_id IN (\(part: byWords)) OR (user_id IN (
                SELECT user_id FROM user_term WHERE field = \(incomplete.field) AND value = \(incomplete.value)
            ) AND (\(part: slowly(text))))
            """
    }

    /// Looks for the text anywhere in what each user is called.
    private static func slowly(_ text: String) -> SQL {
        UserFilter.anywhere("*\(text)*").sql
    }
}
