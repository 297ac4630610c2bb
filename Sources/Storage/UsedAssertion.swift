import Foundation
import OAuth

/// Tokens that count once: the `jti` of those that were used, for as long as they would be valid.
package enum UsedAssertionStore {
    /// What a `jti` is unique for; those of two kinds never meet.
    package enum Kind: String, Sendable {
        /// A client's assertion, [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
        case clientAssertion = "client_assertion"
        /// A proof of possession, [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1).
        case possession = "dpop"
        /// A grant, RFC 7523 §2.1.
        case grant = "jwt_bearer"
        /// An assertion of a SAML provider, Profiles §4.1.4.5.
        case saml = "saml"
    }

    /// Uses a token, at most once, whoever races for it: one statement decides.
    /// - Parameters:
    ///   - issuer: who chose the id: the `iss`, or the thumbprint of the key.
    ///   - expiresAt: when the token is refused anyway.
    /// - Returns: whether this is the first use.
    package static func use(
        _ kind: Kind, issuer: String, id: String, expiresAt: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        // The lengths keep two pairs of issuer and id from having one text.
        let digest = Secret("\(kind.rawValue) \(issuer.utf8.count) \(issuer) \(id)").digest
        return try transaction.changes(
            """
            INSERT INTO used_assertion (digest, expires_at) VALUES (\(digest), \(expiresAt))
            ON CONFLICT (digest) DO NOTHING
            """) == 1
    }
}
