import Crypto
import Foundation
import OAuth

/// Time-based one-time codes, [RFC 6238](https://www.rfc-editor.org/rfc/rfc6238): SHA-1, six digits, a step of 30 seconds, as every
/// app for them knows.
package struct TOTP: Sendable {
    /// Seconds for which a code is the current one.
    package static let stepLength: TimeInterval = 30
    /// Steps by which an app's clock may be wrong, either way (RFC 6238 §5.2).
    static let tolerance: Int64 = 1
    private static let digits = 6

    private let key: SymmetricKey

    /// - Parameter secret: what app and server share, as bytes.
    package init(secret: [UInt8]) { key = SymmetricKey(data: secret) }

    /// A new secret: 160 bits, as long as the hash (RFC 4226 §4).
    package static func newSecret() -> [UInt8] { RandomBytes.make(20) }

    /// The step that a moment is in.
    package static func step(at now: Date) -> Int64 { Int64((now.timeIntervalSince1970 / stepLength).rounded(.down)) }

    /// The code of a step: six digits.
    package func code(at step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian, Array.init)
        let hash = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: key))
        // RFC 4226 §5.3: four bytes from where the last one's lower half says, without their first bit.
        let offset = Int((hash.last ?? 0) & 0x0F)
        let number = hash[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: Self.digits - text.count) + text
    }

    /// The step whose code this is, of those that are near enough; nil where it is none's.
    /// - Parameter code: as somebody typed it; spaces do not count.
    package func step(of code: String, at now: Date) -> Int64? {
        let sent = code.filter { !$0.isWhitespace }
        let present = Self.step(at: now)
        var found: Int64?
        // All are compared, so that the time taken tells nothing.
        for step in present - Self.tolerance...present + Self.tolerance
        where ConstantTime.equal(self.code(at: step), sent) { found = step }
        return found
    }
}

/// Base32 without padding, [RFC 4648 §6](https://www.rfc-editor.org/rfc/rfc4648#section-6): how apps for one-time codes write their
/// secrets.
package enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// The characters for `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        var characters: [UInt8] = []
        var (buffer, bits): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                characters.append(alphabet[Int(buffer >> bits & 0x1F)])
            }
            buffer &= (1 << bits) - 1
        }
        if bits > 0 { characters.append(alphabet[Int(buffer << (5 - bits) & 0x1F)]) }
        return String(decoding: characters, as: UTF8.self)
    }

    /// The bytes that `text` stands for; nil where it is no Base32. Upper or lower case, spaces do not count.
    package static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (buffer, bits): (UInt32, UInt32) = (0, 0)
        for character in text.uppercased().utf8 where character != UInt8(ascii: " ") {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            buffer = buffer << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
                buffer &= (1 << bits) - 1
            }
        }
        return bytes
    }
}
