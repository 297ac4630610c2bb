import OAuth

/// Filters that put texts together and take them apart. None builds more than ``LiquidBudget`` allows to throw it away after.
enum LiquidText {
    static func joined(_ parts: [String], separator: String = "") throws(LiquidProblem) -> String {
        try LiquidBudget.require(
            parts.reduce(separator.utf8.count * max(0, parts.count - 1)) { $0 + $1.utf8.count })
        return parts.joined(separator: separator)
    }

    /// - Parameter part: nothing is replaced where it is empty.
    static func replacing(_ part: String, in text: String, with other: String) throws(LiquidProblem) -> String {
        try joined(split(text, by: part, mostBytes: .max), separator: other)
    }

    /// - Parameter separator: where it is empty there is one part.
    /// - Parameter mostBytes: of the parts with what a list takes for each.
    static func split(
        _ text: String, by separator: String, mostBytes: Int = LiquidBudget.mostBytes
    ) throws(LiquidProblem) -> [String] {
        let (bytes, pattern) = (Array(text.utf8), Array(separator.utf8))
        guard let first = pattern.first else { return [text] }
        var (parts, start, place) = ([String](), 0, 0)
        while place + pattern.count <= bytes.count {
            guard bytes[place] == first, bytes[place..<place + pattern.count].elementsEqual(pattern) else {
                place += 1
                continue
            }
            parts.append(String(decoding: bytes[start..<place], as: UTF8.self))
            place += pattern.count
            start = place
            guard parts.count < mostBytes / 32 else { throw tooMany }
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    /// Every character by itself.
    static func characters(_ text: String) throws(LiquidProblem) -> [String] {
        guard text.utf8.count < LiquidBudget.mostBytes / 32 else { throw tooMany }
        return text.map(String.init)
    }

    private static var tooMany: LiquidProblem {
        LiquidProblem(line: 1, message: "a text is split into more than \(LiquidBudget.mostBytes / 32) parts")
    }

    /// At most so many characters, with those of `end`.
    static func truncated(_ text: String, to count: Int, end: String) throws(LiquidProblem) -> String {
        guard text.count > count else { return text }
        return try joined([String(text.prefix(max(0, max(0, count) - end.count))), end])
    }

    static func withoutTags(_ text: String) -> String {
        var (kept, rest) = ("", Substring(text))
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
            kept += rest[..<start]
            rest = rest[rest.index(after: end)...]
        }
        return kept + rest
    }
}
