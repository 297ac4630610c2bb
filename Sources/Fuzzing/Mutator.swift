/// Makes neighbours of good inputs: near enough to come far into a parser, wrong in all the ways that have names.
package struct Mutator: Sendable {
    private let corpus: [[UInt8]]
    private let words: [[UInt8]]

    /// - Parameters:
    ///   - corpus: inputs to start from.
    ///   - words: what to put in, beside what is hostile everywhere.
    package init(_ corpus: [String], words: [String] = []) {
        self.corpus = corpus.map { Array($0.utf8) }
        self.words = (words + words + Self.hostile).map { Array($0.utf8) }
    }

    /// Texts that some parser, database or page has once stumbled over.
    package static let hostile = [
        "%00", "%", "%zz", "%2", "%C0%AF", "%ff", "%25", "%2e%2e", "%2F", "%5C", "%40", "%0d%0a", "\0", "\r\n", "\t",
        " ", "  ", "\u{202E}", "\u{200B}", "\u{FEFF}", "é", "e\u{301}", "\u{301}", "\u{FF0F}", "\u{FF0E}", "\u{3002}",
        "İ", "ß", "ſ", "\u{212A}", "😀", "<", ">", "\"", "'", "`", "{{", "}}", "..", "/", "//", "\\", "@", "#", "?",
        "&", "=", "+", "*", ":", ";", ",", "[", "]", "{", "}", "|", "^", "~", "-", "-1", "0", "00", "1e9",
        "99999999999999999999", "null", "true", "' OR '1'='1", "<script>alert(1)</script>", "javascript:",
        String(repeating: "A", count: 300),
    ]

    /// The bytes of one neighbour; now and then an input itself.
    package func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = generator.pick(corpus)
        let steps = [0, 1, 1, 1, 2, 2, 3, 8][generator.below(8)]
        for _ in 0..<steps { mutate(&bytes, &generator) }
        return bytes
    }

    /// The text of one neighbour; bytes that are no UTF-8 have become U+FFFD.
    package func text(_ generator: inout SeededGenerator) -> String {
        String(decoding: bytes(&generator), as: UTF8.self)
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        let place = generator.below(bytes.count + 1)
        switch generator.below(10) {
        case 0, 1, 2: bytes.insert(contentsOf: generator.pick(words), at: place)
        case 3 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 4 where place < bytes.count: bytes[place] = 0x21 + UInt8(generator.below(0x5E))
        case 5 where place < bytes.count: bytes.remove(at: place)
        case 6 where place < bytes.count: bytes[place] ^= 0x20
        case 7: bytes.removeSubrange(place..<min(bytes.count, place + generator.below(8)))
        case 8:
            let part = Array(bytes[place..<min(bytes.count, place + generator.below(16))])
            bytes.insert(contentsOf: part, at: generator.below(bytes.count + 1))
        default:
            let other = generator.pick(corpus)
            bytes = Array(bytes[..<place]) + other[generator.below(other.count + 1)...]
        }
    }
}

extension SeededGenerator {
    /// Any text of up to `most` characters, of the kinds that parsers treat differently; never a NUL.
    package mutating func text(most: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<below(most + 1) { scalars.append(scalar()) }
        return String(scalars)
    }

    private mutating func scalar() -> Unicode.Scalar {
        let value: UInt32 =
            switch below(8) {
            case 0: UInt32(1 + below(0x1F))
            case 1, 2, 3, 4, 5: UInt32(0x20 + below(0x5F))
            case 6: UInt32(0x80 + below(0x2000))
            default: UInt32(0xE000 + below(0x110000 - 0xE000))
            }
        return Unicode.Scalar(value) ?? "x"
    }
}
