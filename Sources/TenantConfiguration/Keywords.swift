import Foundation
import OAuth

/// The Deploy CLI's `##KEY##` and `@@KEY@@`, which stand for values of the environment.
///
/// YAML would take the first for a comment and refuse the second. So a mark of private characters stands for each while
/// the file is read, and its value is put in afterwards: no quote, line break or `#` of a value can change what the
/// file says. Keywords in comments vanish with the comments.
struct Keywords: Sendable {
    /// The file's text as YAML can read it.
    let text: String
    private let mark: Unicode.Scalar
    private var keywords: [Keyword] = []
    private let file: String

    private struct Keyword: Sendable {
        let key: String
        /// Whether it is `@@KEY@@`, whose value is JSON.
        let isJSON: Bool
        let line: Int
        let startsLine: Bool
        let value: String?
    }

    /// A value, and the problems of the keywords in it.
    struct Replaced {
        var value: JSONValue
        var problems: [FileProblem] = []
    }

    init(in source: String, environment: [String: String], file: String) {
        let source = source.unicodeScalars.first == "\u{FEFF}" ? String(source.unicodeScalars.dropFirst()) : source
        let used = Set(source.unicodeScalars.lazy.filter { (0xE000...0xF8FF).contains($0.value) })
        let mark = (0xE000...0xF8FF).lazy.compactMap(Unicode.Scalar.init(_:)).first { !used.contains($0) } ?? "\u{E000}"
        let bytes = Array(source.utf8)
        var (output, keywords): ([UInt8], [Keyword]) = ([], [])
        output.reserveCapacity(bytes.count)
        var (index, line, startsLine) = (0, 1, true)
        while index < bytes.count {
            if let end = Self.end(ofKeywordAt: index, in: bytes) {
                let key = String(decoding: bytes[(index + 2)..<(end - 2)], as: UTF8.self)
                output += Array("\(mark)\(keywords.count)\(mark)".utf8)
                keywords.append(
                    Keyword(
                        key: key, isJSON: bytes[index] == UInt8(ascii: "@"), line: line, startsLine: startsLine,
                        value: environment[key]))
                (index, startsLine) = (end, false)
                continue
            }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                (line, startsLine) = (line + 1, true)
            } else if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") {
                startsLine = false
            }
            output.append(byte)
            index += 1
        }
        (text, self.mark, self.keywords, self.file) = (String(decoding: output, as: UTF8.self), mark, keywords, file)
    }

    /// Where `##KEY##` or `@@KEY@@` ends that starts at `start`.
    private static func end(ofKeywordAt start: Int, in bytes: [UInt8]) -> Int? {
        let sign = bytes[start]
        guard sign == UInt8(ascii: "#") || sign == UInt8(ascii: "@"), start + 1 < bytes.count, bytes[start + 1] == sign
        else { return nil }
        var end = start + 2
        while end < bytes.count, isKeyCharacter(bytes[end]) { end += 1 }
        guard end > start + 2, end + 1 < bytes.count, bytes[end] == sign, bytes[end + 1] == sign else { return nil }
        return end + 2
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The keywords that start a line and have no value: where the file is no YAML, one of them may be why.
    var problemsAtLineStarts: [FileProblem] { keywords.filter { $0.startsLine && $0.value == nil }.map(missing) }

    private func missing(_ keyword: Keyword) -> FileProblem {
        Self.missing(keyword.key, Location(file: file, line: keyword.line))
    }

    /// A scalar with the values of its keywords; nil where it has none.
    ///
    /// `@@KEY@@` that stands alone becomes whatever its JSON is. `##KEY##` that stands alone, without quotes, becomes a
    /// number, true or false where it is written like one. Anything else is a text.
    func replace(in scalar: String, isPlain: Bool) -> Replaced? {
        guard !keywords.isEmpty else { return nil }
        let pieces = scalar.unicodeScalars.split(separator: mark, omittingEmptySubsequences: false)
        guard pieces.count > 2 else { return nil }
        let isAlone = pieces.count == 3 && pieces[0].isEmpty && pieces[2].isEmpty
        var (text, problems): (String, [FileProblem]) = ("", [])
        for (position, piece) in pieces.map(String.init).enumerated() {
            guard !position.isMultiple(of: 2), let index = Int(piece), keywords.indices.contains(index) else {
                text += piece
                continue
            }
            let keyword = keywords[index]
            guard let value = keyword.value else {
                problems.append(missing(keyword))
                continue
            }
            let typed = keyword.isJSON ? Self.json(value) : isPlain && isAlone ? Self.plain(value) : .string(value)
            if isAlone { return Replaced(value: typed) }
            text += typed.string ?? value
        }
        return Replaced(value: .string(text), problems: problems)
    }

    /// A text that is no YAML, such as an action's code, with the values of its keywords: `##KEY##` as it is, `@@KEY@@` as
    /// JSON. What a value says is not looked through again.
    /// - Parameter isLenient: whether a keyword without a value stays.
    /// - Throws: ``TenantFileError`` with every keyword that has no value, unless `isLenient`.
    static func replace(
        inText source: String, environment: [String: String], file: String, isLenient: Bool
    ) throws(TenantFileError) -> String {
        let bytes = Array(source.utf8)
        var (output, problems): ([UInt8], [FileProblem]) = ([], [])
        var (index, line) = (0, 1)
        while index < bytes.count {
            guard let end = end(ofKeywordAt: index, in: bytes) else {
                if bytes[index] == UInt8(ascii: "\n") { line += 1 }
                output.append(bytes[index])
                index += 1
                continue
            }
            let key = String(decoding: bytes[(index + 2)..<(end - 2)], as: UTF8.self)
            if let value = environment[key] {
                let isJSON = bytes[index] == UInt8(ascii: "@")
                output += Array((isJSON ? (try? JSON.text(json(value))) ?? value : value).utf8)
            } else if isLenient {
                output += bytes[index..<end]
            } else {
                problems.append(missing(key, Location(file: file, line: line)))
            }
            index = end
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        return String(decoding: output, as: UTF8.self)
    }

    private static func missing(_ key: String, _ location: Location) -> FileProblem {
        FileProblem(
            location: location, path: "",
            message: "\(key) is not in the environment; set it, for example: export \(key)=…")
    }

    /// Digits that a number would lose, such as those of 007, make a text.
    private static func plain(_ value: String) -> JSONValue {
        let isNumber = value.wholeMatch(of: /-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?/) != nil
        return isNumber || value == "true" || value == "false" ? Located.plain(value) : .string(value)
    }

    private static func json(_ value: String) -> JSONValue {
        (try? JSON.decode(JSONValue.self, from: value)) ?? .string(value)
    }
}
