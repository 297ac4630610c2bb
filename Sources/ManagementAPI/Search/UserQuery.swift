import OAuth
import Storage

/// The query language of Auth0's user search, Lucene's: `email:"ada@example.com"`, `name:ada*`,
/// `app_metadata.plan:(gold OR silver) AND NOT blocked:true`, `logins_count:[1 TO 10}`, `_exists_:username`.
enum UserQuery {
    /// Why a query is refused.
    struct Problem: Error, Equatable {
        let message: String
    }

    /// The filter that a query asks for.
    static func parse(_ text: String) throws(Problem) -> UserFilter {
        guard text.utf8.count <= mostBytes else { throw Problem(message: "is longer than \(mostBytes) bytes") }
        var parser = Parser(tokens: try UserQueryToken.read(text))
        let filter = try parser.alternatives(depth: 0)
        guard parser.isAtEnd else { throw Problem(message: "has a ')' too many") }
        return filter
    }

    private static let mostBytes = 4096
    private static let mostLevels = 16
    private static let mostTerms = 100

    private struct Parser {
        let tokens: [UserQueryToken]
        private var position = 0
        private var terms = 0

        init(tokens: [UserQueryToken]) { self.tokens = tokens }

        var isAtEnd: Bool { position == tokens.count }
        private var next: UserQueryToken? { position < tokens.count ? tokens[position] : nil }

        private mutating func take(_ token: UserQueryToken) -> Bool {
            guard next == token else { return false }
            position += 1
            return true
        }

        /// What is joined by OR, which is also meant where nothing stands between two terms.
        mutating func alternatives(depth: Int, field: UserFieldName? = nil) throws(Problem) -> UserFilter {
            guard depth <= mostLevels else {
                throw Problem(message: "has more than \(mostLevels) levels of parentheses")
            }
            var parts = [try conjunction(depth: depth, field: field)]
            while let token = next, token != .close {
                if token == .or { position += 1 }
                parts.append(try conjunction(depth: depth, field: field))
            }
            return parts.count == 1 ? parts[0] : .any(parts)
        }

        private mutating func conjunction(depth: Int, field: UserFieldName?) throws(Problem) -> UserFilter {
            var parts = [try term(depth: depth, field: field)]
            while take(.and) { parts.append(try term(depth: depth, field: field)) }
            return parts.count == 1 ? parts[0] : .all(parts)
        }

        private mutating func term(depth: Int, field: UserFieldName?) throws(Problem) -> UserFilter {
            terms += 1
            guard terms <= mostTerms else { throw Problem(message: "has more than \(mostTerms) terms") }
            if take(.not) { return .not(try term(depth: depth, field: field)) }
            if take(.open) {
                let inner = try alternatives(depth: depth + 1, field: field)
                guard take(.close) else { throw Problem(message: "has a '(' without its ')'") }
                return inner
            }
            guard let token = next else { throw Problem(message: "ends where a term should be") }
            position += 1
            switch token {
            case .word(let text, isQuoted: false) where take(.colon):
                guard field == nil else { throw Problem(message: "has a field within a field") }
                return try value(of: text, depth: depth)
            case .word, .range:
                guard let field else { return try UserFieldName.anywhere(token) }
                return try field.filter(token)
            default: throw Problem(message: "has '\(token)' where a term should be")
            }
        }

        private mutating func value(of name: String, depth: Int) throws(Problem) -> UserFilter {
            if name == "_exists_" || name == "_missing_" {
                guard case .word(let text, _)? = next else { throw Problem(message: "\(name): needs a field") }
                position += 1
                let exists = try UserFieldName(text).exists
                return name == "_exists_" ? exists : .not(exists)
            }
            let field = try UserFieldName(name)
            if next == .open { return try term(depth: depth, field: field) }
            guard let token = next else { throw Problem(message: "ends behind '\(name.forDisplay):'") }
            position += 1
            return try field.filter(token)
        }
    }
}
