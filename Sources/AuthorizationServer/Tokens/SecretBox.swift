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

/// The server's own secret, from which every other key is derived so that none serves two purposes. All are derived once,
/// because most requests need several.
package struct ServerSecret: Sendable {
    /// The box for what is sealed in the database.
    package let box: SecretBox
    /// The `sub`s of the tenant's users.
    package let subjects: SubjectIdentifier
    private let keys: [Purpose: SymmetricKey]

    /// What the server authenticates to itself. The words are part of the keys, so they never change.
    enum Purpose: String, CaseIterable {
        case forms
        case refreshTokens = "refresh tokens"
        case userCodes = "user codes"
        case passwordlessCodes = "passwordless codes"
        case factorCodes = "second factor codes"
        case proofNonces = "DPoP nonces"
        case exportLinks = "export links"
        case invitations
    }

    /// - Parameter text: at least 32 characters from a random source.
    package init(_ text: String) {
        let secret = SymmetricKey(data: Array(text.utf8))
        func derive(_ label: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Array("portico \(label)".utf8), outputByteCount: 32)
        }
        box = SecretBox(key: derive("sealed values").withUnsafeBytes(Array.init))
        subjects = SubjectIdentifier(key: derive("subject identifiers").withUnsafeBytes(Array.init))
        keys = Dictionary(uniqueKeysWithValues: Purpose.allCases.map { ($0, derive($0.rawValue)) })
    }

    /// Binds a page's form to its browser, its session and its transaction: only who has all three can make it. The
    /// session counts, so that nobody allows in one user's name what the page showed to another.
    package func formToken(_ browser: Browser, state: String) -> String {
        authenticate("\(browser.secret.text) \(browser.session?.text ?? "-") \(state)", for: .forms)
    }

    /// The refresh token that replaces `token`. It follows from it, so that a client that never got the answer gets the
    /// same one again, and two requests that race cannot make two successors.
    package func successor(of token: Secret) -> Secret {
        Secret("v1." + authenticate(token.text, for: .refreshTokens))
    }

    /// What makes the link to an export's file one that nobody can guess.
    /// - Parameter expires: seconds since 1970.
    package func exportLink(_ jobID: String, expires: Int) -> String {
        authenticate("\(jobID) \(expires)", for: .exportLinks)
    }

    /// What the invited person gets. It follows from the invitation's id, so that the Management API can show it again though
    /// the database has its digest alone.
    /// - Returns: 32 hexadecimal digits, because Auth0's tickets have letters and digits only.
    package func invitationTicket(_ invitationID: String) -> Secret {
        let code = Base64URL.decode(authenticate(invitationID, for: .invitations)) ?? []
        let digits = code.prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return Secret(digits.joined())
    }

    /// The authentication code of `text`, base64url: 43 characters.
    func authenticate(_ text: String, for purpose: Purpose) -> String {
        // Every purpose has its key; a random one would only make the code match nothing.
        var code = HMAC<SHA256>(key: keys[purpose, default: SymmetricKey(size: .bits256)])
        code.update(data: Array(text.utf8))
        return Base64URL.encode(code.finalize())
    }
}
