/// Base64url without padding, [RFC 7515 §2](https://www.rfc-editor.org/rfc/rfc7515#section-2).
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    /// The characters for `bytes`, without padding.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: encodeBytes(Array(bytes)), as: UTF8.self)
    }

    /// The characters of ``encode(_:)`` as ASCII bytes.
    package static func encodeBytes(_ bytes: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity((bytes.count * 4 + 2) / 3)
        var index = 0
        while index < bytes.count {
            let first = bytes[index]
            let second = index + 1 < bytes.count ? bytes[index + 1] : 0
            let third = index + 2 < bytes.count ? bytes[index + 2] : 0
            encoded.append(alphabet[Int(first >> 2)])
            encoded.append(alphabet[Int((first & 0x03) << 4 | second >> 4)])
            if index + 1 < bytes.count { encoded.append(alphabet[Int((second & 0x0F) << 2 | third >> 6)]) }
            if index + 2 < bytes.count { encoded.append(alphabet[Int(third & 0x3F)]) }
            index += 3
        }
        return encoded
    }

    /// The bytes that `text` encodes, or nil where it has a foreign character, padding, an impossible length or spare
    /// bits that are not zero: one value has one spelling.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 != 1 else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(characters.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        for character in characters {
            let value = values[Int(character)]
            guard value != 0xFF else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                decoded.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard buffer & ((1 << UInt32(bits)) - 1) == 0 else { return nil }
        return decoded
    }
}
