/// Reads JSON that a stranger wrote ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)).
///
/// It refuses what parsers read differently, above all a member that is there twice: of two values for one name the one
/// that is checked here need not be the one that counts elsewhere ([RFC 8725 §2.4](https://www.rfc-editor.org/rfc/rfc8725#section-2.4),
/// [RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)). Its time grows with the length of the text and with
/// nothing else.
package struct JSONReader {
    /// Why a text is not read.
    package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        case malformed
        /// Arrays and objects within one another, more than ``JSONReader/deepest``.
        case tooDeep
        /// An object has two members of this name.
        case duplicate(String)

        package var description: String {
            switch self {
            case .malformed: "it is no JSON (RFC 8259)"
            case .tooDeep: "it is nested more than \(JSONReader.deepest) levels deep"
            case .duplicate(let name): "it has the member '\(name.forDisplay)' twice"
            }
        }
    }

    /// Levels of arrays and objects within one another.
    package static let deepest = 100

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The value that `bytes` are the UTF-8 text of.
    /// - Throws: ``Problem``.
    package static func value(_ bytes: some Sequence<UInt8>) throws(Problem) -> JSONValue {
        let bytes = Array(bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .malformed }
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw .malformed }
        return value
    }

    /// The object that `bytes` are the UTF-8 text of.
    /// - Throws: ``Problem``.
    package static func object(_ bytes: some Sequence<UInt8>) throws(Problem) -> JSONObject {
        guard case .object(let members) = try value(bytes) else { throw .malformed }
        return members
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(Problem) -> JSONValue {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(Problem) -> JSONValue {
        guard depth <= Self.deepest else { throw .tooDeep }
        var members: JSONObject = [:]
        try list(from: "{", to: "}") { reader throws(Problem) in
            guard reader.peek == UInt8(ascii: "\"") else { throw .malformed }
            let name = try reader.string()
            reader.skipBlanks()
            guard reader.take(":") else { throw .malformed }
            guard members.updateValue(try reader.value(depth: depth), forKey: name) == nil else {
                throw .duplicate(name)
            }
        }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Problem) -> JSONValue {
        guard depth <= Self.deepest else { throw .tooDeep }
        var values: [JSONValue] = []
        try list(from: "[", to: "]") { reader throws(Problem) in values.append(try reader.value(depth: depth)) }
        return .array(values)
    }

    /// What stands between two brackets, with commas between.
    private mutating func list(
        from open: Unicode.Scalar, to close: Unicode.Scalar,
        _ element: (inout JSONReader) throws(Problem) -> Void
    ) throws(Problem) {
        guard take(open) else { throw .malformed }
        skipBlanks()
        if take(close) { return }
        repeat {
            skipBlanks()
            try element(&self)
            skipBlanks()
        } while take(",")
        guard take(close) else { throw .malformed }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Problem) -> JSONValue {
        let expected = text.withUTF8Buffer(Array.init)
        guard bytes[position...].starts(with: expected) else { throw .malformed }
        position += expected.count
        return value
    }

    private mutating func number() throws(Problem) -> JSONValue {
        let start = position
        _ = take("-")
        // No digit stands behind a zero at the start.
        if !take("0") { guard digits() > 0 else { throw .malformed } }
        let endOfWhole = position
        if take(".") { guard digits() > 0 else { throw .malformed } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw .malformed }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if position == endOfWhole, let whole = Int64(text) { return .integer(whole) }
        guard let number = Double(text), number.isFinite else { throw .malformed }
        if position > endOfWhole, let whole = Int64(exactly: number) { return .integer(whole) }
        return .number(number)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    // MARK: Strings

    private mutating func string() throws(Problem) -> String {
        position += 1
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        // Most texts have nothing to unescape and are taken as they stand.
        if take("\"") { return String(decoding: bytes[start..<position - 1], as: UTF8.self) }
        var text = Array(bytes[start..<position])
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw .malformed
            default: text.append(byte)
            }
        }
        throw .malformed
    }

    private mutating func escape(into text: inout [UInt8]) throws(Problem) {
        guard let byte = peek else { throw .malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(Character(try scalar())).utf8)
        default: throw .malformed
        }
    }

    /// The character of one `\u` escape, or of two that are halves of one; a half alone is no character.
    private mutating func scalar() throws(Problem) -> Unicode.Scalar {
        let first = try hexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else { throw .malformed }
        let second = try hexDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw .malformed }
        return scalar
    }

    private mutating func hexDigits() throws(Problem) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .malformed
            }
            position += 1
            number = number << 4 | UInt32(digit)
        }
        return number
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek, UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }
}
