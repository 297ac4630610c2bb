import Crypto
import Foundation
import OAuth

/// Keeps what the server must be able to read again, such as private keys, unreadable in a stolen database: AES-256-GCM.
package struct SecretBox: Sendable {
    private let key: SymmetricKey

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// Why a sealed text cannot be opened.
    package struct CannotOpen: Error, CustomStringConvertible {
        package let description =
            "A stored secret cannot be opened with the present PORTICO_SECRET. Start with the secret that the database "
            + "was made with: it stands in the data folder's file 'secret', or in your deployment's settings."
    }

    /// The text, encrypted with a nonce of its own: two sealed texts are never equal. Base64url.
    package func seal(_ text: String) throws -> String {
        guard let combined = try AES.GCM.seal(Array(text.utf8), using: key).combined else { throw CannotOpen() }
        return Base64URL.encode(combined)
    }

    /// - Throws: ``CannotOpen`` where the text was sealed with another key, or altered.
    package func open(_ sealed: String) throws -> String {
        guard let bytes = Base64URL.decode(sealed), let box = try? AES.GCM.SealedBox(combined: bytes),
            let text = try? AES.GCM.open(box, using: key)
        else { throw CannotOpen() }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The server's own secret, from which every other key is derived so that none serves two purposes.
package struct ServerSecret: Sendable {
    private let key: SymmetricKey

    /// - Parameter text: at least 32 characters from a random source.
    package init(_ text: String) { key = SymmetricKey(data: Array(text.utf8)) }

    /// The box for what is sealed in the database.
    package var box: SecretBox { SecretBox(key: derive("sealed values")) }

    /// Binds a page's form to its browser, its session and its transaction: only who has all three can make it. The
    /// session counts, so that nobody allows in one user's name what the page showed to another.
    package func formToken(_ browser: Browser, state: String) -> String {
        authenticate("\(browser.secret.text) \(browser.session?.text ?? "-") \(state)", label: "forms")
    }

    /// The refresh token that replaces `token`. It follows from it, so that a client that never got the answer gets the
    /// same one again, and two requests that race cannot make two successors.
    package func successor(of token: Secret) -> Secret {
        Secret("v1." + authenticate(token.text, label: "refresh tokens"))
    }

    /// The `sub`s of the tenant's users.
    package var subjects: SubjectIdentifier { SubjectIdentifier(key: derive("subject identifiers")) }

    func authenticate(_ text: String, label: String) -> String {
        Base64URL.encode(
            HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: derive(label))))
    }

    private func derive(_ label: String) -> [UInt8] {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Array("portico \(label)".utf8), outputByteCount: 32)
            .withUnsafeBytes(Array.init)
    }
}
