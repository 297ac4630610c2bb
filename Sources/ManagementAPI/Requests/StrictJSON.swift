import Foundation
import OAuth

/// What the API asks of JSON beyond its grammar: no member twice, of which each reader would believe another one, and no
/// nesting without end.
enum StrictJSON {
    /// Auth0's deepest payloads have half a dozen levels.
    static let mostLevels = 32

    /// Why a text is refused.
    enum Problem: Error, Equatable {
        case tooDeep
        case duplicate(String)
        case malformed
    }

    /// Looks through JSON text for what a decoder would let pass; the grammar is the decoder's.
    static func check(_ bytes: Data) throws(Problem) {
        var scanner = Scanner(bytes: Array(bytes))
        try scanner.scan()
    }

    private struct Scanner {
        let bytes: [UInt8]
        private var position = 0
        /// For each open object the names that it has so far; nil for an array.
        private var levels: [Set<String>?] = []

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func scan() throws(Problem) {
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "{"): try open([])
                case UInt8(ascii: "["): try open(nil)
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    guard levels.popLast() != nil else { throw .malformed }
                    position += 1
                case UInt8(ascii: "\""): try text()
                default: position += 1
                }
            }
        }

        private mutating func open(_ names: Set<String>?) throws(Problem) {
            guard levels.count < mostLevels else { throw .tooDeep }
            levels.append(names)
            position += 1
        }

        /// A text, which is a name where a colon follows it.
        private mutating func text() throws(Problem) {
            let start = position
            position += 1
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard position < bytes.count else { throw .malformed }
            position += 1
            let quoted = bytes[start..<position]
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return }
            guard case .some(.some(var names)) = levels.last else { throw .malformed }
            guard let name = try? JSON.decode(String.self, from: Data(quoted)) else { throw .malformed }
            guard names.insert(name).inserted else { throw .duplicate(name) }
            levels[levels.count - 1] = names
        }
    }
}
