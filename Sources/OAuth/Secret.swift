import Crypto

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A value that gives power to whoever holds it: a code, a token, a session id, a client's secret.
///
/// It leaves the server once, in the response that issues it. The database only ever sees ``digest``, so a stolen
/// database opens nothing. SHA-256 is enough because the value has 256 random bits (passwords do not: they are Argon2id).
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
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
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Bytes and identifiers from the system's cryptographic generator.
package enum RandomBytes {
    /// One call into the kernel however many bytes; Swift's own generator makes one for each eight.
    package static func make(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            #if canImport(Darwin)
                arc4random_buf(buffer.baseAddress, count)
            #else
                // The kernel gives at most 256 bytes at once, and never fewer than it is asked for.
                for start in stride(from: 0, to: count, by: 256) {
                    let status = getentropy(buffer.baseAddress.map { $0 + start }, min(256, count - start))
                    precondition(status == 0, "the kernel has no random bytes")
                }
            #endif
            filled = count
        }
    }

    private static let alphanumerics = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// An identifier of letters and digits, as Auth0's clients, roles and connections have. Each is equally likely: bytes
    /// that would favour the first letters are thrown away.
    package static func alphanumeric(_ count: Int, prefix: String = "") -> String {
        var characters = Array(prefix.utf8)
        let length = characters.count + count
        while characters.count < length {
            for byte in make(count * 2) where byte < 248 && characters.count < length {
                characters.append(alphanumerics[Int(byte) % 62])
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    /// An identifier of lower-case hexadecimal digits, as Auth0's users and APIs have.
    package static func hexadecimal(_ digits: Int) -> String {
        let characters = Array("0123456789abcdef".utf8)
        return String(decoding: make(digits).map { characters[Int($0 & 0x0F)] }, as: UTF8.self)
    }
}
