import Crypto
import OAuth
import Storage

extension SigningAlgorithm {
    /// What an ID token signed with this algorithm says of a token beside it: `at_hash` of an access token, `c_hash` of a
    /// code, `s_hash` of a `state`. The left half of the algorithm's own hash, OpenID Connect Core §3.1.3.6 and §3.3.2.11.
    package func hash(_ text: String) -> String {
        let bytes = Array(text.utf8)
        switch self {
        case .rs256, .ps256, .es256, .hs256: return Base64URL.encode(SHA256.hash(data: bytes).prefix(16))
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
        case .edDSA: return Base64URL.encode(SHA512.hash(data: bytes).prefix(32))
        }
    }
}
