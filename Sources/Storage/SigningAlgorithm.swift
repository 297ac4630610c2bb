import OAuth

/// How a token is signed: the values of `alg` in [RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1) and
/// [RFC 8037 §3.1](https://www.rfc-editor.org/rfc/rfc8037#section-3.1) that the server has.
package enum SigningAlgorithm: String, Sendable, CaseIterable, Codable {
    case rs256 = "RS256"
    case ps256 = "PS256"
    case es256 = "ES256"
    /// With Ed25519.
    case edDSA = "EdDSA"
    /// With a secret that the verifier has too.
    case hs256 = "HS256"

    /// The kind of key that it needs; nil where it needs a secret instead.
    package var keyKind: SigningKey.Kind? {
        switch self {
        case .rs256, .ps256: .rsa
        case .es256: .p256
        case .edDSA: .ed25519
        case .hs256: nil
        }
    }
}

extension SigningKey {
    /// What a key is made of, which decides the algorithms that it signs with.
    package enum Kind: String, Sendable, CaseIterable {
        /// RSA with 2048 bits.
        case rsa = "RSA"
        /// The curve that RFC 7518 §6.2.1.1 calls P-256.
        case p256 = "P-256"
        /// The curve of [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037).
        case ed25519 = "Ed25519"

        /// The algorithms that keys of this kind sign with, the usual one first.
        package var algorithms: [SigningAlgorithm] { SigningAlgorithm.allCases.filter { $0.keyKind == self } }
    }
}
