import OAuth

/// A search in the part of Lucene's query syntax that Auth0's `q` takes, of users and of log events: `field:value`,
/// `"quoted values"`, `*` and `?`, ranges `[a TO b]` and `{a TO b}`, `>=`, `field:(a OR b)`, `_exists_:field`,
/// `_missing_:field`, `AND`, `OR`, `NOT`, `&&`, `||`, `!`, `-`, `+`, and parentheses.
package indirect enum SearchQuery: Sendable, Hashable {
    /// What a field is compared with.
    package enum Value: Sendable, Hashable {
        case text(String)
        /// Between quotation marks, where `*` and `?` stand for themselves.
        case phrase(String)
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

        package init(description: String) { self.description = description }
    }

    /// - Throws: ``Problem``.
    package init(_ text: String) throws(Problem) {
        guard text.utf8.count <= SearchQueryParser.mostBytes else {
            throw Problem(description: "is longer than \(SearchQueryParser.mostBytes) bytes")
        }
        var parser = SearchQueryParser(text)
        self = try parser.parse()
    }
}

/// Reads a query from left to right.
private struct SearchQueryParser {
    static let mostBytes = 4096
    private static let mostLevels = 20
    private static let mostTerms = 100

    private let characters: [Character]
    private var position = 0
    private var terms = 0

    init(_ text: String) { characters = Array(text) }

    mutating func parse() throws(SearchQuery.Problem) -> SearchQuery {
        let query = try alternatives(of: nil, depth: 0)
        guard position == characters.count else { throw problem("has a ')' too many") }
        return query
    }

    private func problem(_ text: String) -> SearchQuery.Problem { SearchQuery.Problem(description: text) }

    // MARK: Terms

    /// What is joined by OR, which Lucene also means where nothing stands between two terms.
    private mutating func alternatives(of field: String?, depth: Int) throws(SearchQuery.Problem) -> SearchQuery {
        guard depth <= Self.mostLevels else { throw problem("has more than \(Self.mostLevels) levels of parentheses") }
        var parts = [try conjunction(of: field, depth: depth)]
        while true {
            if !take(word: "OR"), !take(word: "||") {
                guard let next = current, next != ")" else { break }
            }
            parts.append(try conjunction(of: field, depth: depth))
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction(of field: String?, depth: Int) throws(SearchQuery.Problem) -> SearchQuery {
        var parts = [try term(of: field, depth: depth)]
        while take(word: "AND") || take(word: "&&") { parts.append(try term(of: field, depth: depth)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func term(of field: String?, depth: Int) throws(SearchQuery.Problem) -> SearchQuery {
        terms += 1
        guard terms <= Self.mostTerms else { throw problem("has more than \(Self.mostTerms) terms") }
        for word in ["AND", "OR", "&&", "||"] where take(word: word) {
            throw problem("has '\(word)' where a term should be")
        }
        if take(word: "NOT") || take("-") || take("!") { return .not(try term(of: field, depth: depth)) }
        // It asks for what AND asks for, and stands where a term does.
        if take("+") { return try term(of: field, depth: depth) }
        skipBlanks()
        if take("(") {
            let query = try alternatives(of: field, depth: depth + 1)
            skipBlanks()
            guard take(")") else { throw problem("has a '(' without its ')'") }
            return query
        }
        if take("\"") { return .term(field: field, .phrase(try quoted())) }
        if let range = try range() { return .term(field: field, range) }
        let (word, isPattern) = try word(endsAtColon: field == nil)
        if field == nil, take(":") { return try value(of: word, depth: depth) }
        return .term(field: field, isPattern ? .pattern(word) : .text(word))
    }

    /// What stands behind a field and its colon.
    private mutating func value(of field: String, depth: Int) throws(SearchQuery.Problem) -> SearchQuery {
        switch field {
        case "_exists_": return .term(field: try word(endsAtColon: false).text, .exists)
        case "_missing_": return .not(.term(field: try word(endsAtColon: false).text, .exists))
        default: return try term(of: field, depth: depth)
        }
    }

    /// `[a TO b]` with its ends, `{a TO b}` without them, `*` for no end; `>a`, `>=a`, `<a` and `<=a`.
    private mutating func range() throws(SearchQuery.Problem) -> SearchQuery.Value? {
        if take(">") || take("<") {
            let isLower = characters[position - 1] == ">"
            let isIncluded = take("=")
            let text = take("\"") ? try quoted() : try word(endsAtColon: false).text
            let bound = SearchQuery.Bound(text: text, isIncluded: isIncluded)
            return isLower ? .range(from: bound, to: nil) : .range(from: nil, to: bound)
        }
        guard take("[") || take("{") else { return nil }
        let startIsIncluded = characters[position - 1] == "["
        let from = try end()
        guard take(word: "TO") else { throw problem("has a range that is not [a TO b]") }
        let to = try end()
        skipBlanks()
        guard take("]") || take("}") else { throw problem("has a range without its end") }
        let endIsIncluded = characters[position - 1] == "]"
        return .range(
            from: from.map { .init(text: $0, isIncluded: startIsIncluded) },
            to: to.map { .init(text: $0, isIncluded: endIsIncluded) })
    }

    /// An end of a range, which may have colons: it may be a time.
    private mutating func end() throws(SearchQuery.Problem) -> String? {
        skipBlanks()
        if take("\"") { return try quoted() }
        var text = ""
        while let character = current, !character.isWhitespace, character != "]", character != "}" {
            text.append(character)
            position += 1
        }
        guard !text.isEmpty else { throw problem("has a range with an end missing") }
        return text == "*" ? nil : text
    }

    // MARK: Characters

    private var current: Character? { position < characters.count ? characters[position] : nil }

    private mutating func skipBlanks() {
        while current?.isWhitespace == true { position += 1 }
    }

    /// Takes a word that stands alone, such as `AND`, and the blanks before it.
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
        guard current == character else { return false }
        position += 1
        return true
    }

    /// Up to the quotation mark that ends it; a backslash takes the meaning from the character behind it.
    private mutating func quoted() throws(SearchQuery.Problem) -> String {
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
        throw problem("has a quotation mark without the one that ends it")
    }

    /// - Returns: the word, and whether it has a wildcard.
    private mutating func word(
        endsAtColon: Bool
    ) throws(SearchQuery.Problem) -> (text: String, isPattern: Bool) {
        skipBlanks()
        var (text, isPattern) = ("", false)
        while let character = current, !character.isWhitespace, !"()\"".contains(character),
            !(endsAtColon && character == ":")
        {
            position += 1
            if character == "\\" {
                guard let escaped = current else { throw problem("ends with a backslash") }
                position += 1
                text.append(escaped)
            } else {
                isPattern = isPattern || character == "*" || character == "?"
                text.append(character)
            }
        }
        guard !text.isEmpty else {
            throw problem(current.map { "has '\($0)' where a term should be" } ?? "ends where a term should be")
        }
        return (text, isPattern)
    }
}
