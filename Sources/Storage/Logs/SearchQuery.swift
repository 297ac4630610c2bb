import OAuth

/// A search in the part of Lucene's query syntax that Auth0's `q` takes: `field:value`, `"quoted values"`, `*` and `?`, ranges
/// `[a TO b]` and `{a TO b}`, `>=`, `_exists_:field`, `AND`, `OR`, `NOT`, `-`, and parentheses.
package indirect enum SearchQuery: Sendable, Hashable {
    /// What a field is compared with.
    package enum Value: Sendable, Hashable {
        case text(String)
        /// With `*` for any text and `?` for any one character.
        case pattern(String)
        /// nil for a side without a limit.
        case range(from: Bound?, to: Bound?)
        /// Anything at all.
        case exists
    }

    /// One end of a range.
    package struct Bound: Sendable, Hashable {
        package let text: String
        package let isIncluded: Bool

        package init(text: String, isIncluded: Bool) { (self.text, self.isIncluded) = (text, isIncluded) }
    }

    case all([SearchQuery])
    case any([SearchQuery])
    case not(SearchQuery)
    /// The field is nil where none is named.
    case term(field: String?, Value)

    /// What is wrong with a query, for its author.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Characters of a query at most.
    package static let most = 2000

    /// - Throws: ``Problem``.
    package init(_ text: String) throws(Problem) {
        guard text.count <= Self.most else {
            throw Problem(description: "must be at most \(Self.most) characters long")
        }
        var parser = SearchQueryParser(text)
        self = try parser.parse()
    }
}

/// Reads a query from left to right.
private struct SearchQueryParser {
    private let characters: [Character]
    private var position = 0
    private var depth = 0
    private var terms = 0

    init(_ text: String) { characters = Array(text) }

    mutating func parse() throws(SearchQuery.Problem) -> SearchQuery {
        let query = try alternatives()
        guard position == characters.count else { throw problem("has ')' without '('") }
        return query
    }

    private func problem(_ text: String) -> SearchQuery.Problem { SearchQuery.Problem(description: text) }

    private mutating func skipBlanks() {
        while position < characters.count, characters[position].isWhitespace { position += 1 }
    }

    /// Takes a word that stands alone, such as `AND`.
    private mutating func take(word: String) -> Bool {
        skipBlanks()
        let end = position + word.count
        guard end <= characters.count, String(characters[position..<end]) == word,
            end == characters.count || characters[end].isWhitespace || characters[end] == "("
        else { return false }
        position = end
        return true
    }

    private mutating func take(_ character: Character) -> Bool {
        guard position < characters.count, characters[position] == character else { return false }
        position += 1
        return true
    }

    private mutating func alternatives() throws(SearchQuery.Problem) -> SearchQuery {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 20 else { throw problem("has too many parentheses inside one another") }
        var parts = [try conjunction()]
        while true {
            // Between two terms without a word, Lucene means OR.
            if take(word: "OR") || take(word: "||") {
                parts.append(try conjunction())
            } else {
                skipBlanks()
                guard position < characters.count, characters[position] != ")" else { break }
                parts.append(try conjunction())
            }
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(SearchQuery.Problem) -> SearchQuery {
        var parts = [try negation()]
        while take(word: "AND") || take(word: "&&") { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation() throws(SearchQuery.Problem) -> SearchQuery {
        if take(word: "NOT") { return .not(try negation()) }
        skipBlanks()
        if take("-") || take("!") { return .not(try negation()) }
        _ = take("+")
        return try primary(field: nil)
    }

    private mutating func primary(field: String?) throws(SearchQuery.Problem) -> SearchQuery {
        skipBlanks()
        guard position < characters.count else { throw problem("ends where a term is expected") }
        if take("(") {
            let query = if let field { try values(of: field) } else { try alternatives() }
            skipBlanks()
            guard take(")") else { throw problem("has '(' without ')'") }
            return query
        }
        terms += 1
        guard terms <= 100 else { throw problem("has more than 100 terms") }
        if take("\"") { return .term(field: field, .text(try quoted())) }
        if field != nil, let range = try range() { return .term(field: field, range) }
        let word = try word(endsAtColon: field == nil)
        if field == nil, take(":") {
            if word == "_exists_" { return .term(field: try self.word(endsAtColon: false), .exists) }
            return try primary(field: word)
        }
        return .term(field: field, word.contains { $0 == "*" || $0 == "?" } ? .pattern(word) : .text(word))
    }

    /// `field:(a OR b)`.
    private mutating func values(of field: String) throws(SearchQuery.Problem) -> SearchQuery {
        var parts: [SearchQuery] = []
        while true {
            _ = take(word: "OR")
            skipBlanks()
            guard position < characters.count, characters[position] != ")" else { break }
            parts.append(try primary(field: field))
        }
        guard !parts.isEmpty else { throw problem("has nothing between parentheses") }
        return .any(parts)
    }

    private mutating func quoted() throws(SearchQuery.Problem) -> String {
        var text = ""
        while position < characters.count {
            let character = characters[position]
            position += 1
            if character == "\"" { return text }
            if character == "\\", position < characters.count {
                text.append(characters[position])
                position += 1
            } else {
                text.append(character)
            }
        }
        throw problem("has an open quotation mark")
    }

    private mutating func word(endsAtColon: Bool) throws(SearchQuery.Problem) -> String {
        var text = ""
        while position < characters.count {
            let character = characters[position]
            if character.isWhitespace || character == "(" || character == ")" || character == "\"" { break }
            if character == ":", endsAtColon { break }
            position += 1
            if character == "\\", position < characters.count {
                text.append(characters[position])
                position += 1
            } else {
                text.append(character)
            }
        }
        guard !text.isEmpty else { throw problem("has no value where one is expected") }
        return text
    }

    private mutating func range() throws(SearchQuery.Problem) -> SearchQuery.Value? {
        for (sign, isLower, isIncluded) in [
            (">=", true, true), ("<=", false, true), (">", true, false), ("<", false, false),
        ] {
            guard String(characters[position...].prefix(sign.count)) == sign else { continue }
            position += sign.count
            let quote = take("\"")
            let bound = SearchQuery.Bound(
                text: quote ? try quoted() : try word(endsAtColon: false), isIncluded: isIncluded)
            return isLower ? .range(from: bound, to: nil) : .range(from: nil, to: bound)
        }
        guard characters[position] == "[" || characters[position] == "{" else { return nil }
        let startsIncluded = characters[position] == "["
        position += 1
        guard let end = characters[position...].firstIndex(where: { $0 == "]" || $0 == "}" }) else {
            throw problem("has a range without its end")
        }
        let sides = String(characters[position..<end]).split(separator: " TO ", maxSplits: 1).map {
            $0.trimmed.replacing("\"", with: "")
        }
        guard sides.count == 2 else { throw problem("has a range that is not [a TO b]") }
        position = end + 1
        return .range(
            from: sides[0] == "*" ? nil : .init(text: sides[0], isIncluded: startsIncluded),
            to: sides[1] == "*" ? nil : .init(text: sides[1], isIncluded: characters[end] == "]"))
    }
}
