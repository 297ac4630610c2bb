/// Tells code from comments and strings, so that a rule about code does not stumble over words.
struct SwiftLexer {
    private let source: [Character]
    private var position = 0
    private var output = ""

    init(_ text: String) { source = Array(text) }

    /// The text with every character of comments and strings replaced by a space; lines and what is interpolated stay.
    mutating func code() -> String {
        while position < source.count { step() }
        return output
    }

    private func starts(_ text: String) -> Bool {
        source[position...].starts(with: text)
    }

    private mutating func keep(_ count: Int = 1) {
        output.append(contentsOf: source[position..<min(position + count, source.count)])
        position += count
    }

    private mutating func blank(_ count: Int = 1) {
        for character in source[position..<min(position + count, source.count)] {
            output.append(character == "\n" ? "\n" : " ")
        }
        position += count
    }

    private mutating func step() {
        if starts("//") {
            while position < source.count, source[position] != "\n" { blank() }
        } else if starts("/*") {
            blockComment()
        } else if let hashes = stringStart() {
            string(hashes)
        } else {
            keep()
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < source.count
    }

    /// How many `#` stand before a quotation mark that begins here; nil where none begins.
    private func stringStart() -> Int? {
        let hashes = source[position...].prefix { $0 == "#" }.count
        return position + hashes < source.count && source[position + hashes] == "\"" ? hashes : nil
    }

    private mutating func string(_ hashes: Int) {
        let fence = String(repeating: "#", count: hashes)
        blank(hashes)
        let quote = starts("\"\"\"") ? "\"\"\"" : "\""
        blank(quote.count)
        while position < source.count {
            if starts(quote + fence) {
                blank(quote.count + hashes)
                return
            } else if starts("\\" + fence + "(") {
                blank(1 + hashes)
                interpolation()
            } else if starts("\\" + fence) {
                blank(2 + hashes)
            } else {
                blank()
            }
        }
    }

    private mutating func interpolation() {
        var depth = 0
        repeat {
            if source[position] == "(" { depth += 1 }
            if source[position] == ")" { depth -= 1 }
            step()
        } while depth > 0 && position < source.count
    }
}
