import Foundation

/// Which users are looked for: what a query of the Management API comes to.
package indirect enum UserFilter: Sendable, Hashable {
    case all([UserFilter])
    case any([UserFilter])
    case not(UserFilter)
    case match(UserField, Match)
    /// Users who are called so, see ``UserWord/condition(_:)``.
    case called(String)

    /// What a field's value must be.
    package enum Match: Sendable, Hashable {
        /// Equal, whatever the case of the letters.
        case equal(String)
        /// Fits a pattern, in which `*` stands for any text and `?` for one character.
        case like(String)
        /// Between bounds; nil for no bound.
        case range(from: Bound?, to: Bound?)
        /// There is one.
        case exists
    }

    /// The end of a range.
    package struct Bound: Sendable, Hashable {
        package let value: String
        package let isIncluded: Bool

        package init(_ value: String, isIncluded: Bool) { (self.value, self.isIncluded) = (value, isIncluded) }
    }
}

/// What of a user can be searched for.
package enum UserField: Sendable, Hashable {
    case id, email, username, connection, isEmailVerified, isBlocked, loginsCount, createdAt, updatedAt, lastLogin
    /// A claim of the profile, such as `name`.
    case profile(String)
    /// The path of a value in the user's or the application's metadata.
    case userMetadata([String])
    case appMetadata([String])
}

extension UserFilter {
    /// The condition on a row of `user_account`.
    var sql: SQL {
        switch self {
        case .all(let parts): Self.joined(parts, "all")
        case .any(let parts): Self.joined(parts, "any")
        // A field that a user has not is not what is looked for either.
        case .not(let part): "NOT COALESCE((\(part: part.sql)), FALSE)"
        case .match(let field, let match): field.condition(match)
        case .called(let text): UserWord.condition(text)
        }
    }

    /// Users who have what fits the pattern in one of the fields that say what they are called.
    package static func anywhere(_ pattern: String) -> UserFilter {
        let fields: [UserField] = [
            .email, .username, .profile("name"), .profile("nickname"), .profile("given_name"), .profile("family_name"),
        ]
        return .any(fields.map { .match($0, .like(pattern)) })
    }

    private static func joined(_ parts: [UserFilter], _ how: String) -> SQL {
        guard let first = parts.first else { return how == "all" ? "1 = 1" : "1 = 0" }
        return parts.dropFirst().reduce("(\(part: first.sql))") { whole, next in
            how == "all" ? "\(part: whole) AND (\(part: next.sql))" : "\(part: whole) OR (\(part: next.sql))"
        }
    }
}

extension UserField {
    private static let nothing: SQL = "1 = 0"

    fileprivate func condition(_ match: UserFilter.Match) -> SQL {
        switch self {
        case .id: text("user_id", match, isExact: true)
        case .email: text("email", match, isExact: false)
        case .username: text("username", match, isExact: false)
        case .connection: text("connection", match, isExact: true)
        case .isEmailVerified: truth("email_verified", match)
        case .isBlocked: truth("blocked", match)
        case .loginsCount: number(match)
        case .createdAt: time("created_at", match)
        case .updatedAt: time("updated_at", match)
        case .lastLogin: time("last_login", match)
        case .profile(let name): json("profile", [name], match)
        case .userMetadata(let path): json("user_metadata", path, match)
        case .appMetadata(let path): json("app_metadata", path, match)
        }
    }

    /// - Parameter isExact: whether case counts; addresses and user names are stored in lower case, and so need no
    ///   function that an index does not help.
    private func text(_ column: StaticName, _ match: UserFilter.Match, isExact: Bool) -> SQL {
        func value(_ text: String) -> String { isExact ? text : text.lowercased() }
        switch match {
        case .equal(let text): return "\(name: column) = \(value(text))"
        case .like(let pattern):
            let fits: SQL = "\(name: column) LIKE \(Self.likePattern(value(pattern))) ESCAPE '~'"
            let start = value(pattern).prefix { $0 != "*" && $0 != "?" }
            guard !start.isEmpty else { return fits }
            return "\(part: UserTerm.beginning(column, String(start))) AND \(part: fits)"
        case .exists: return "\(name: column) IS NOT NULL"
        case .range(let from, let to):
            return bounds(from, to) { bound, isLower in
                switch (isLower, bound.isIncluded) {
                case (true, true): "\(name: column) >= \(value(bound.value))"
                case (true, false): "\(name: column) > \(value(bound.value))"
                case (false, true): "\(name: column) <= \(value(bound.value))"
                case (false, false): "\(name: column) < \(value(bound.value))"
                }
            }
        }
    }

    private func truth(_ column: StaticName, _ match: UserFilter.Match) -> SQL {
        switch match {
        case .equal(let text): Bool(text.lowercased()).map { "\(name: column) = \($0)" } ?? Self.nothing
        case .exists: "1 = 1"
        case .like, .range: Self.nothing
        }
    }

    private func number(_ match: UserFilter.Match) -> SQL {
        switch match {
        case .equal(let text): return Int(text).map { "logins_count = \($0)" } ?? Self.nothing
        case .exists: return "1 = 1"
        case .like: return Self.nothing
        case .range(let from, let to):
            return bounds(from, to) { bound, isLower in
                guard let value = Int(bound.value) else { return Self.nothing }
                return Self.compared("logins_count", "\(value)", bound, isLower)
            }
        }
    }

    private func time(_ column: StaticName, _ match: UserFilter.Match) -> SQL {
        switch match {
        case .equal(let text):
            guard let span = TimeSpan(text) else { return Self.nothing }
            return "\(name: column) >= \(span.start) AND \(name: column) < \(span.end)"
        case .exists: return "\(name: column) IS NOT NULL"
        case .like: return Self.nothing
        case .range(let from, let to):
            return bounds(from, to) { bound, isLower in
                guard let span = TimeSpan(bound.value) else { return Self.nothing }
                return isLower
                    ? "\(name: column) >= \(bound.isIncluded ? span.start : span.end)"
                    : "\(name: column) < \(bound.isIncluded ? span.end : span.start)"
            }
        }
    }

    private func json(_ column: StaticName, _ path: [String], _ match: UserFilter.Match) -> SQL {
        let field = ([column.text] + path).joined(separator: ".")
        return UserTerm.condition(field: field, match, slow: slowly(column, path, match))
    }

    /// Looks into every user's document.
    private func slowly(_ column: StaticName, _ path: [String], _ match: UserFilter.Match) -> SQL {
        // The parser lets no quote and no backslash into a name.
        let place = "$" + path.map { ".\"\($0)\"" }.joined()
        func items(_ condition: SQL) -> SQL { "\(.jsonItems(column))\(place)\(.jsonItemsWhere)\(part: condition))" }
        switch match {
        case .equal(let text): return items("lower(\(.jsonItemText)) = lower(\(text))")
        case .like(let pattern):
            return items("lower(\(.jsonItemText)) LIKE lower(\(Self.likePattern(pattern))) ESCAPE '~'")
        case .exists: return items("\(.jsonItemText) IS NOT NULL")
        case .range(let from, let to):
            let isNumeric = [from, to].compactMap(\.self).allSatisfy { Self.isNumber($0.value) }
            return items(
                bounds(from, to) { bound, isLower in
                    isNumeric
                        ? Self.compared(
                            "\(.jsonItemNumber)", "CAST(CAST(\(bound.value) AS TEXT) AS NUMERIC)", bound, isLower)
                        : Self.compared("\(.jsonItemText)", "\(bound.value)", bound, isLower)
                })
        }
    }

    /// A number as the databases read one: in decimal digits, of which there are not too many.
    private static func isNumber(_ text: String) -> Bool {
        text.utf8.count <= 40 && text.wholeMatch(of: /[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?/) != nil
    }

    private static func compared(_ left: SQL, _ right: SQL, _ bound: UserFilter.Bound, _ isLower: Bool) -> SQL {
        switch (isLower, bound.isIncluded) {
        case (true, true): "\(part: left) >= \(part: right)"
        case (true, false): "\(part: left) > \(part: right)"
        case (false, true): "\(part: left) <= \(part: right)"
        case (false, false): "\(part: left) < \(part: right)"
        }
    }

    private func bounds(
        _ from: UserFilter.Bound?, _ to: UserFilter.Bound?, _ condition: (UserFilter.Bound, _ isLower: Bool) -> SQL
    ) -> SQL {
        switch (from.map { condition($0, true) }, to.map { condition($0, false) }) {
        case (let from?, let to?): "\(part: from) AND \(part: to)"
        case (let only?, nil), (nil, let only?): only
        case (nil, nil): "1 = 1"
        }
    }

    private static func likePattern(_ pattern: String) -> String {
        pattern.replacing(/[~%_]/) { "~\($0.0)" }.replacing("*", with: "%").replacing("?", with: "_")
    }
}

/// The day or the moment that a text such as `2026-08-01` or `2026-08-01T12:00:00Z` names.
private struct TimeSpan {
    let start: Date
    let end: Date

    init?(_ text: String) {
        if let day = try? Date.ISO8601FormatStyle().year().month().day().parse(text), text.count == 10 {
            (start, end) = (day, day.addingTimeInterval(86_400))
        } else if let second = try? Date.ISO8601FormatStyle().parse(text) {
            (start, end) = (second, second.addingTimeInterval(1))
        } else if let moment = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text) {
            (start, end) = (moment, moment.addingTimeInterval(0.001))
        } else {
            return nil
        }
    }
}
