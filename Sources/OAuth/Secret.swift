import Crypto

/// A value that gives power to whoever holds it: a code, a token, a session id, a client's secret.
///
/// It leaves the server once, in the response that issues it. The database only ever sees ``digest``, so a stolen
/// database opens nothing. SHA-256 is enough because the value has 256 random bits (passwords do not: they are Argon2id).
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What is sent to the client.
    package let text: String

    /// A secret that a client sent.
    package init(_ text: String) { self.text = text }

    /// A new secret with 256 bits from the system's generator: `prefix` and 43 base64url characters.
    package static func random(prefix: String = "") -> Secret {
        Secret(prefix + Base64URL.encode(RandomBytes.make(32)))
    }

    /// What is stored: the base64url SHA-256 of the text.
    package var digest: String { Base64URL.encode(SHA256.hash(data: Array(text.utf8))) }

    /// Never the text, so that no log can hold it.
    package var description: String { "Secret(…)" }
    package var debugDescription: String { description }
}

/// Bytes and identifiers from the system's cryptographic generator.
package enum RandomBytes {
    package static func make(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static let alphanumerics = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    /// An identifier of letters and digits, as Auth0's clients, roles and connections have.
    package static func alphanumeric(_ count: Int, prefix: String = "") -> String {
        var generator = SystemRandomNumberGenerator()
        return prefix
            + String((0..<count).map { _ in alphanumerics[Int.random(in: 0..<62, using: &generator)] })
    }

    /// An identifier of lower-case hexadecimal digits, as Auth0's users and APIs have.
    package static func hexadecimal(_ digits: Int) -> String {
        let characters = Array("0123456789abcdef")
        return String(make(digits).map { characters[Int($0 & 0x0F)] })
    }
}
