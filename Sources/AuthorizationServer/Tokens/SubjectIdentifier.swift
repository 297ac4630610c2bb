import Crypto
import Foundation
import OAuth
import Storage

/// The `sub` under which clients know users, OpenID Connect Core §8.
///
/// A pairwise one is the user's id, encrypted for the client's sector with a nonce that follows from both: the same user
/// has the same `sub` in a sector for ever, no two sectors have one in common, and the server alone finds the user again.
/// Nothing is stored, so nothing can be lost.
package struct SubjectIdentifier: Sendable {
    private let nonces: SymmetricKey
    private let cipher: SymmetricKey

    /// - Parameter key: 32 bytes that serve nothing else.
    init(key: [UInt8]) {
        let secret = SymmetricKey(data: key)
        func derived(_ label: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: secret, info: Array(label.utf8), outputByteCount: 32)
        }
        (nonces, cipher) = (derived("nonces"), derived("cipher"))
    }

    /// The longest id that fits: encrypted it must not be longer than the 255 characters of a `sub`.
    private static let longestID = 160

    /// What `client` knows the user as.
    package func sub(of user: User, for client: Client) throws -> String { try sub(ofUser: user.id, for: client) }

    /// What `client` knows the user with this id as.
    func sub(ofUser userID: String, for client: Client) throws -> String {
        guard client.openID.subjectType == .pairwise else { return userID }
        let (id, sector) = (Array(userID.utf8), Array(client.sector.utf8))
        let code = Array(HMAC<SHA256>.authenticationCode(for: sector + [0] + id, using: nonces))
        // An imported id may be longer than a `sub` can be; then the code alone has to do, which leads back to nobody.
        guard id.count <= Self.longestID else { return Base64URL.encode(code) }
        let sealed = try AES.GCM.seal(
            id, using: cipher, nonce: AES.GCM.Nonce(data: code.prefix(12)), authenticating: sector)
        return Base64URL.encode(sealed.combined ?? Data())
    }

    /// The user's id behind a `sub` of `client`'s; nil where it is none.
    package func userID(of sub: String, for client: Client) -> String? {
        guard client.openID.subjectType == .pairwise else { return sub }
        guard let bytes = Base64URL.decode(sub), let box = try? AES.GCM.SealedBox(combined: bytes),
            let id = try? AES.GCM.open(box, using: cipher, authenticating: Array(client.sector.utf8))
        else { return nil }
        return String(decoding: id, as: UTF8.self)
    }

    /// Names the user in `claims`, and takes out what would tell a pairwise client the id all the same.
    func name(_ user: User, in claims: inout JSONObject, for client: Client) throws {
        claims["sub"] = .string(try sub(of: user, for: client))
        if client.openID.subjectType == .pairwise { claims["identities"] = nil }
    }
}

extension Client {
    /// The clients that share pairwise subjects, OpenID Connect Core §8.1: those of one host.
    var sector: String {
        let uri = openID.sectorIdentifierURI ?? callbacks.first?.text
        return uri.flatMap { RedirectURI($0)?.host.lowercased() }.flatMap { $0.isEmpty ? nil : $0 } ?? clientID
    }
}
