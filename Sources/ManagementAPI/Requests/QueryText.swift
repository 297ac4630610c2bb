import OAuth

/// Percent-encoded text: queries and the parts of paths.
enum QueryText {
    /// The members of a query. One that is there twice is a list.
    /// - Throws: ``ManagementError`` 400 `invalid_query_string` for text that is not encoded so.
    static func members(_ query: String) throws(ManagementError) -> JSONObject {
        guard query.utf8.count <= mostBytes else { throw .malformedQuery("The query is longer than 16 KiB") }
        var members: JSONObject = [:]
        for field in query.split(separator: "&") {
            let sides = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count == 2 ? String(sides[1]) : ""
            guard let name = decode(sides[0].replacing("+", with: " ")),
                let text = decode(value.replacing("+", with: " "))
            else { throw .malformedQuery("The query is not percent-encoded UTF-8") }
            switch members[name] {
            case nil: members[name] = .string(text)
            case .array(let texts): members[name] = .array(texts + [.string(text)])
            case let first?: members[name] = .array([first, .string(text)])
            }
        }
        return members
    }

    private static let mostBytes = 16 * 1024

    /// Undoes percent-encoding; nil for a broken escape, bytes that are not UTF-8, or a NUL.
    static func decode(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ character: UInt8) -> UInt8? {
        Character(UnicodeScalar(character)).hexDigitValue.map { UInt8($0) }
    }
}
