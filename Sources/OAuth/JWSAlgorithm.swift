/// How a token of somebody else's may be signed: the `alg` of [RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)
/// and [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037), without `none`, which proves nothing.
package enum JWSAlgorithm: String, Sendable, CaseIterable, Codable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    /// Ed25519 alone of the EdDSA family.
    case edDSA = "EdDSA"
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"

    /// The kind of key that an algorithm works with; a key of another kind is never tried with it.
    package enum Family: Sendable, Hashable {
        case rsa, p256, p384, ed25519, secret
    }

    package var family: Family {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .p256
        case .es384: .p384
        case .edDSA: .ed25519
        case .hs256, .hs384, .hs512: .secret
        }
    }

    /// The algorithms whose signatures a public key proves.
    package static let asymmetric = Set(allCases.filter { $0.family != .secret })
    /// The algorithms whose signatures a shared secret proves.
    package static let symmetric = Set(allCases.filter { $0.family == .secret })
}
