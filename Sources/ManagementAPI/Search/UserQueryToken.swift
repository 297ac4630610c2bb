import OAuth
import Storage

/// A word or a sign of a user query.
enum UserQueryToken: Equatable, CustomStringConvertible {
    /// In a quoted one `*` and `?` stand for themselves.
    case word(String, isQuoted: Bool)
    case range(from: UserFilter.Bound?, to: UserFilter.Bound?)
    case colon, open, close, and, or, not

    var description: String {
        switch self {
        case .word(let text, _): text.forDisplay
        case .range: "a range"
        case .colon: ":"
        case .open: "("
        case .close: ")"
        case .and: "AND"
        case .or: "OR"
        case .not: "NOT"
        }
    }

    /// The tokens of a query, in order.
    static func read(_ text: String) throws(UserQuery.Problem) -> [UserQueryToken] {
        var reader = Reader(characters: Array(text))
        var tokens: [UserQueryToken] = []
        while let token = try reader.next() { tokens.append(token) }
        return tokens
    }

    private struct Reader {
        let characters: [Character]
        private var position = 0

        init(characters: [Character]) { self.characters = characters }

        private var current: Character? { position < characters.count ? characters[position] : nil }

        mutating func next() throws(UserQuery.Problem) -> UserQueryToken? {
            while current?.isWhitespace == true { position += 1 }
            guard let character = current else { return nil }
            switch character {
            case ":": return sign(.colon)
            case "(": return sign(.open)
            case ")": return sign(.close)
            case "[", "{": return try range()
            case ">", "<": return try comparison()
            case "\"": return .word(try quoted(), isQuoted: true)
            case "!": return sign(.not)
            case "+": return try plus()
            case "-": return sign(.not)
            case "&" where follows("&"), "|" where follows("|"):
                position += 2
                return character == "&" ? .and : .or
            default: return keyword(try word())
            }
        }

        private func follows(_ character: Character) -> Bool {
            position + 1 < characters.count && characters[position + 1] == character
        }

        private mutating func sign(_ token: UserQueryToken) -> UserQueryToken {
            position += 1
            return token
        }

        /// `+term` asks for what AND asks for, and stands where a term does.
        private mutating func plus() throws(UserQuery.Problem) -> UserQueryToken? {
            position += 1
            return try next()
        }

        private func keyword(_ text: String) -> UserQueryToken {
            switch text {
            case "AND": .and
            case "OR": .or
            case "NOT": .not
            default: .word(text, isQuoted: false)
            }
        }

        /// Up to a space or a sign; a backslash takes the meaning from the character behind it.
        private mutating func word() throws(UserQuery.Problem) -> String {
            var word = ""
            while let character = current, !character.isWhitespace, !":()[]{}\"".contains(character) {
                position += 1
                if character == "\\" {
                    guard let escaped = current else { throw UserQuery.Problem(message: "ends with a backslash") }
                    position += 1
                    word.append(escaped)
                } else {
                    word.append(character)
                }
            }
            guard !word.isEmpty else {
                throw UserQuery.Problem(message: "has '\(current.map(String.init) ?? "")' where a term should be")
            }
            return word
        }

        private mutating func quoted() throws(UserQuery.Problem) -> String {
            position += 1
            var text = ""
            while let character = current {
                position += 1
                if character == "\"" { return text }
                if character == "\\", let escaped = current {
                    position += 1
                    text.append(escaped)
                } else {
                    text.append(character)
                }
            }
            throw UserQuery.Problem(message: "has a quotation mark without the one that ends it")
        }

        /// `[1 TO 5]` with its ends, `{1 TO 5}` without them, `*` for no end.
        private mutating func range() throws(UserQuery.Problem) -> UserQueryToken {
            let includesFirst = current == "["
            position += 1
            let from = try end()
            guard try end() == "TO" else { throw UserQuery.Problem(message: "has a range without TO") }
            let to = try end()
            while current?.isWhitespace == true { position += 1 }
            guard current == "]" || current == "}" else {
                throw UserQuery.Problem(message: "has a range without its end")
            }
            let includesLast = current == "]"
            position += 1
            return .range(
                from: from == "*" ? nil : .init(from, isIncluded: includesFirst),
                to: to == "*" ? nil : .init(to, isIncluded: includesLast))
        }

        /// An end of a range, which may have colons: it may be a time.
        private mutating func end() throws(UserQuery.Problem) -> String {
            while current?.isWhitespace == true { position += 1 }
            if current == "\"" { return try quoted() }
            var text = ""
            while let character = current, !character.isWhitespace, !"]}".contains(character) {
                text.append(character)
                position += 1
            }
            guard !text.isEmpty else { throw UserQuery.Problem(message: "has a range with an end missing") }
            return text
        }

        /// `>5`, `>=5`, `<5`, `<=5`.
        private mutating func comparison() throws(UserQuery.Problem) -> UserQueryToken {
            let isGreater = current == ">"
            position += 1
            let isIncluded = current == "="
            if isIncluded { position += 1 }
            var text = ""
            while let character = current, !character.isWhitespace, !"()".contains(character) {
                text.append(character)
                position += 1
            }
            guard !text.isEmpty else { throw UserQuery.Problem(message: "has a comparison with nothing") }
            let bound = UserFilter.Bound(text, isIncluded: isIncluded)
            return isGreater ? .range(from: bound, to: nil) : .range(from: nil, to: bound)
        }
    }
}
