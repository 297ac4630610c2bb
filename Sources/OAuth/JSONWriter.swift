/// Writes JSON values as text ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)), the members of objects in the order of their
/// names, without blanks and without a backslash that need not be. It writes what `JSONEncoder` writes, without its cost.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// - Throws: `EncodingError` for a number that JSON has no text for.
    mutating func write(_ value: JSONValue) throws(EncodingError) {
        switch value {
        case .null: write(word: "null")
        case .bool(let value): write(word: value ? "true" : "false")
        case .integer(let value): write(value)
        case .number(let value): try write(value)
        case .string(let text): write(text: text)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for value in values {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                try write(value)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members): try write(members)
        }
    }

    /// - Throws: `EncodingError` for a number that JSON has no text for.
    mutating func write(_ members: JSONObject) throws(EncodingError) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for (name, value) in members.count < 2 ? Array(members) : members.sorted(by: { $0.key < $1.key }) {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            write(text: name)
            bytes.append(UInt8(ascii: ":"))
            try write(value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func write(word: StaticString) {
        word.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func write(_ value: Int64) { bytes.append(contentsOf: String(value).utf8) }

    private mutating func write(_ value: Double) throws(EncodingError) {
        guard value.isFinite else {
            throw .invalidValue(
                value, EncodingError.Context(codingPath: [], debugDescription: "JSON has no text for \(value)"))
        }
        let text = value.description
        bytes.append(contentsOf: text.hasSuffix(".0") ? text.dropLast(2).utf8 : text[...].utf8)
    }

    // MARK: Text

    private mutating func write(text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices where Self.isEscaped(utf8[index]) {
                bytes.append(contentsOf: utf8[start..<index])
                escape(utf8[index])
                start = index + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            bytes.append(Self.digits[Int(byte & 0xF)])
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
