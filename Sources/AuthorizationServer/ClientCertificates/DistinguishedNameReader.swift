/// Takes a distinguished name's text apart, [RFC 4514 §3](https://www.rfc-editor.org/rfc/rfc4514#section-3).
struct DistinguishedNameReader {
    private let bytes: [UInt8]
    private var position = 0
    /// Whether the most general part stands first, each on a line of its own, and not last.
    let isGeneralFirst: Bool

    enum Value {
        case text([UInt8])
        /// What stood in hexadecimal after `#`.
        case der([UInt8])
    }

    private typealias Problem = SubjectName.Problem

    init(_ text: String) {
        bytes = Array(text.replacing("\r\n", with: "\n").utf8)
        isGeneralFirst = bytes.contains(0x0A)
    }

    /// The parts as they stand there, each with its attributes.
    mutating func parts() throws(SubjectName.Problem) -> [[(type: String, value: Value)]] {
        var parts: [[(type: String, value: Value)]] = []
        let separator = isGeneralFirst ? UInt8(0x0A) : UInt8(ascii: ",")
        while position < bytes.count {
            var part = [try attribute(separator)]
            while take(UInt8(ascii: "+")) { part.append(try attribute(separator)) }
            parts.append(part)
            guard position < bytes.count else { break }
            position += 1
            // A line may end with its break; a comma is followed by something.
            guard position < bytes.count || isGeneralFirst else { throw Problem(description: "ends with a comma") }
        }
        return parts
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func attribute(_ separator: UInt8) throws(SubjectName.Problem) -> (type: String, value: Value) {
        guard let equals = bytes[position...].firstIndex(of: UInt8(ascii: "=")) else {
            throw Problem(description: "has a part without '='; write CN=client,O=Example")
        }
        let type = String(decoding: bytes[position..<equals], as: UTF8.self).filter { $0 != " " }
        position = equals + 1
        while take(UInt8(ascii: " ")) {}
        if take(UInt8(ascii: "#")) { return (type, .der(try hexadecimal(separator))) }
        return (type, .text(try text(separator)))
    }

    private func isEnd(_ byte: UInt8, _ separator: UInt8) -> Bool { byte == separator || byte == UInt8(ascii: "+") }

    private mutating func hexadecimal(_ separator: UInt8) throws(SubjectName.Problem) -> [UInt8] {
        var value: [UInt8] = []
        while position < bytes.count, !isEnd(bytes[position], separator) {
            guard let byte = pair() else { throw Problem(description: "has no hexadecimal digits after '#'") }
            value.append(byte)
        }
        return value
    }

    /// The byte that the next two hexadecimal digits are.
    private mutating func pair() -> UInt8? {
        guard position + 1 < bytes.count,
            let byte = UInt8(String(decoding: bytes[position...position + 1], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+")
        else { return nil }
        position += 2
        return byte
    }

    private mutating func text(_ separator: UInt8) throws(SubjectName.Problem) -> [UInt8] {
        var value: [UInt8] = []
        while position < bytes.count, !isEnd(bytes[position], separator) {
            let byte = bytes[position]
            guard !Self.mustBeEscaped.contains(byte) else {
                throw Problem(
                    description: "has the character '\(Character(UnicodeScalar(byte)))', which needs a '\\' before it")
            }
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                position += 1
                continue
            }
            position += 1
            if let byte = pair() {
                value.append(byte)
            } else if position < bytes.count, Self.mayBeEscaped.contains(bytes[position]) {
                value.append(bytes[position])
                position += 1
            } else {
                throw Problem(description: "has a '\\' before something that needs none")
            }
        }
        guard !value.isEmpty else { throw Problem(description: "has an attribute without a value") }
        return value
    }

    private static let mustBeEscaped = Set(#"";<>"#.utf8).union([0])
    private static let mayBeEscaped = Set(#"\ "#.utf8).union(#"#="+,;<>"#.utf8)
}
