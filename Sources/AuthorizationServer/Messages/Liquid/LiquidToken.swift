import Foundation

/// A piece of a template's text.
struct LiquidToken: Sendable {
    enum Kind: Sendable, Equatable {
        case text(String)
        /// What stands between `{{` and `}}`.
        case output(String)
        /// What stands between `{%` and `%}`: the tag's name, and the rest.
        case tag(String, String)
    }

    let kind: Kind
    let line: Int

    /// Takes a template apart. `{% raw %}` is text by then, and `{% comment %}` is gone.
    static func read(_ text: String) throws(LiquidProblem) -> [LiquidToken] {
        var reader = Reader(rest: Substring(text))
        while !reader.rest.isEmpty { try reader.next() }
        return reader.tokens
    }

    private struct Reader {
        var rest: Substring
        var line = 1
        var tokens: [LiquidToken] = []
        /// Whether the last tag ended with `-`, which takes away the white space after it.
        var trims = false

        mutating func next() throws(LiquidProblem) {
            guard let start = rest.firstIndexOfOpening() else {
                return appendText(rest, isBeforeTrim: false, to: rest.endIndex)
            }
            let trimsBefore = rest[start...].dropFirst(2).first == "-"
            appendText(rest[..<start], isBeforeTrim: trimsBefore, to: start)
            let isTag = rest.hasPrefix("{%")
            let opened = line
            guard let end = rest.range(ofClosing: isTag ? "%}" : "}}") else {
                throw LiquidProblem(line: opened, message: "'\(isTag ? "{%" : "{{")' has no end")
            }
            var content = rest[rest.index(rest.startIndex, offsetBy: 2)..<end.lowerBound]
            if content.first == "-" { content = content.dropFirst() }
            trims = content.last == "-"
            if trims { content = content.dropLast() }
            line += rest[..<end.upperBound].lineCount
            rest = rest[end.upperBound...]
            let inner = content.stripped
            guard isTag else {
                tokens.append(LiquidToken(kind: .output(inner), line: opened))
                return
            }
            let name = String(inner.prefix { $0.isLetter || $0 == "_" || $0 == "#" })
            switch name {
            case "raw": appendRaw(try skip(to: "endraw", from: opened))
            case "comment": _ = try skip(to: "endcomment", from: opened)
            case "#": break
            default:
                tokens.append(LiquidToken(kind: .tag(name, inner.dropFirst(name.count).stripped), line: opened))
            }
        }

        private mutating func appendText(_ text: Substring, isBeforeTrim: Bool, to end: Substring.Index) {
            var shown = text
            if trims { shown = shown.drop(while: \.isWhitespace) }
            if isBeforeTrim { while shown.last?.isWhitespace == true { shown.removeLast() } }
            trims = false
            if !shown.isEmpty { tokens.append(LiquidToken(kind: .text(String(shown)), line: line)) }
            line += text.lineCount
            rest = rest[end...]
        }

        private mutating func appendRaw(_ text: Substring) {
            if !text.isEmpty { tokens.append(LiquidToken(kind: .text(String(text)), line: line)) }
        }

        /// Goes on behind the tag that ends this one.
        /// - Returns: what stands before it.
        private mutating func skip(to name: String, from opened: Int) throws(LiquidProblem) -> Substring {
            let start = rest.startIndex
            var search = rest
            while let found = search.firstIndexOfOpening() {
                search = search[found...]
                guard search.hasPrefix("{%"), let end = search.range(ofClosing: "%}") else {
                    search = search.dropFirst(2)
                    continue
                }
                let inner = search[..<end.lowerBound].dropFirst(2).stripped
                guard inner.trimmingHyphens == name else {
                    search = search.dropFirst(2)
                    continue
                }
                let content = rest[start..<found]
                line += rest[..<end.upperBound].lineCount
                rest = rest[end.upperBound...]
                return content
            }
            throw LiquidProblem(line: opened, message: "there is no {% \(name) %}")
        }
    }
}

extension Substring {
    fileprivate var lineCount: Int { utf8.count { $0 == UInt8(ascii: "\n") } }

    /// Where the next `{{` or `{%` stands.
    fileprivate func firstIndexOfOpening() -> Index? {
        var index = startIndex
        while let brace = self[index...].firstIndex(of: "{") {
            let next = self.index(after: brace)
            if next < endIndex, self[next] == "{" || self[next] == "%" { return brace }
            index = next
        }
        return nil
    }

    /// Where a tag ends: not inside of a quoted text.
    fileprivate func range(ofClosing closing: String) -> Range<Index>? {
        var quote: Character?
        var index = self.index(startIndex, offsetBy: 2)
        while index < endIndex {
            let character = self[index]
            if quote == character {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
            } else if quote == nil, self[index...].hasPrefix(closing) {
                return index..<self.index(index, offsetBy: 2)
            }
            index = self.index(after: index)
        }
        return nil
    }
}

extension StringProtocol {
    fileprivate var stripped: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}

extension String {
    fileprivate var trimmingHyphens: String {
        var text = Substring(self)
        if text.first == "-" { text = text.dropFirst() }
        if text.last == "-" { text = text.dropLast() }
        return text.stripped
    }
}
