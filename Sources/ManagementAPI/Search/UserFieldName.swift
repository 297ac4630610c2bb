import OAuth
import Storage

/// A field as a user query names it.
struct UserFieldName {
    private let field: Kind

    private enum Kind {
        case stored(UserField)
        /// The part of a user's id before the bar.
        case provider
        /// The part of a user's id behind the bar.
        case idAtProvider
    }

    /// - Throws: ``SearchQuery/Problem`` for a name that no user has.
    init(_ name: String) throws(SearchQuery.Problem) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        field =
            switch (parts[0], parts.count) {
            case ("user_id", 1): .stored(.id)
            case ("email", 1): .stored(.email)
            case ("username", 1): .stored(.username)
            case ("email_verified", 1): .stored(.isEmailVerified)
            case ("blocked", 1): .stored(.isBlocked)
            case ("logins_count", 1): .stored(.loginsCount)
            case ("created_at", 1): .stored(.createdAt)
            case ("updated_at", 1): .stored(.updatedAt)
            case ("last_login", 1): .stored(.lastLogin)
            case ("connection", 1): .stored(.connection)
            case ("identities", 2) where parts[1] == "connection": .stored(.connection)
            case ("identities", 2) where parts[1] == "provider": .provider
            case ("identities", 2) where parts[1] == "user_id": .idAtProvider
            case (_, 1) where Self.profile.contains(parts[0]): .stored(.profile(parts[0]))
            case ("user_metadata", 2...): .stored(.userMetadata(try Self.path(parts)))
            case ("app_metadata", 2...): .stored(.appMetadata(try Self.path(parts)))
            default:
                throw SearchQuery.Problem(description: "asks for '\(name.forDisplay)', which is no field of a user")
            }
    }

    private static let longestPattern = 128

    private static let profile: Set<String> = [
        "name", "nickname", "given_name", "family_name", "picture", "phone_number", "phone_verified", "locale",
    ]

    /// The names below the metadata. They become a path in the database's own language, which knows no quotes in them.
    private static func path(_ parts: [String]) throws(SearchQuery.Problem) -> [String] {
        let path = Array(parts.dropFirst())
        guard path.count <= 10,
            path.allSatisfy({
                !$0.isEmpty
                    && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && !"\"\\'$*?".unicodeScalars.contains($0) }
            })
        else { throw SearchQuery.Problem(description: "asks for a member of the metadata that there cannot be") }
        return path
    }

    /// Users who have the field.
    var exists: UserFilter {
        switch field {
        case .stored(let field): .match(field, .exists)
        case .provider, .idAtProvider: .match(.id, .exists)
        }
    }

    /// Users whose field is as a value says.
    func filter(_ value: SearchQuery.Value) throws(SearchQuery.Problem) -> UserFilter {
        switch value {
        case .exists, .pattern("*"): return exists
        case .text(let text), .phrase(let text):
            switch field {
            case .stored(let field): return .match(field, .equal(text))
            case .provider: return .match(.id, .like("\(text)|*"))
            case .idAtProvider: return .match(.id, .like("*|\(text)"))
            }
        case .pattern(let pattern):
            try Self.requireLong(pattern)
            switch field {
            case .stored(let field): return .match(field, .like(pattern))
            case .provider: return .match(.id, .like("\(pattern)|*"))
            case .idAtProvider: return .match(.id, .like("*|\(pattern)"))
            }
        case .range(let from, let to):
            guard case .stored(let field) = field else {
                throw SearchQuery.Problem(description: "has a range of identities")
            }
            func bound(_ end: SearchQuery.Bound) -> UserFilter.Bound { .init(end.text, isIncluded: end.isIncluded) }
            return .match(field, .range(from: from.map(bound), to: to.map(bound)))
        }
    }

    /// Users who are called so.
    static func anywhere(_ value: SearchQuery.Value) throws(SearchQuery.Problem) -> UserFilter {
        switch value {
        case .pattern("*"): return .all([])
        case .text(let text), .phrase(let text):
            guard text.unicodeScalars.count <= longestPattern else {
                throw SearchQuery.Problem(description: "has a word of more than \(longestPattern) characters")
            }
            return .called(text)
        case .pattern(let pattern):
            try requireLong(pattern)
            let word = pattern.dropLast()
            guard pattern.last == "*", !word.contains(where: { $0 == "*" || $0 == "?" }) else {
                return .anywhere("*\(pattern)*")
            }
            return .called(String(word))
        case .range, .exists: throw SearchQuery.Problem(description: "has a range of nothing")
        }
    }

    /// Fewer letters would fit nearly everybody, and many more cost as much as all texts together are long, many times over.
    private static func requireLong(_ pattern: String) throws(SearchQuery.Problem) {
        guard pattern.unicodeScalars.count <= longestPattern, pattern.count(where: { $0 == "*" }) <= 4 else {
            throw SearchQuery.Problem(
                description:
                    "has the wildcard '\(pattern.forDisplay)', longer than \(longestPattern) characters or with "
                    + "more than 4 '*'")
        }
        guard pattern.count(where: { $0 != "*" && $0 != "?" }) >= 3 else {
            throw SearchQuery.Problem(description: "has the wildcard '\(pattern.forDisplay)' with fewer than 3 letters")
        }
    }
}
