import Crypto
import Foundation
import OAuth

/// A JSON Web Token that somebody else made, [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519) in the compact form of
/// [RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1), taken apart and not believed.
///
///     let token = try SignedToken(parsing: text)
///     let claims = try token.verified(by: keys, algorithms: JWSAlgorithm.asymmetric)
///
/// What it says counts once ``verified(by:algorithms:)`` has returned it. The algorithms are the verifier's choice, and keys come
/// from the verifier too: `jku`, `x5u`, `x5c` and `jwk` of the header are not looked at (RFC 8725 §3.1, §3.10).
package struct SignedToken: Sendable {
    /// The protected header as it stands there.
    package let header: JSONObject
    /// The `alg` of the header, where it is one that proves something.
    package let algorithm: JWSAlgorithm?
    /// Whether the header says `none`: there is no signature.
    package let isUnsecured: Bool
    /// The `typ` of the header in lower case, without `application/` (RFC 7515 §4.1.9).
    package let type: String?
    /// The `kid` of the header.
    package let keyID: String?
    /// The claims, which nothing proves: to find out whose keys to verify with, and for nothing else.
    package let unverifiedClaims: JSONObject
    private let signingInput: [UInt8]
    private let signature: [UInt8]

    /// Why a token is not believed.
    package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// Not three base64url parts with JSON objects in the first two, or too long.
        case malformed(String)
        /// The header has a `crit` extension, and none is understood here.
        case critical
        /// The `alg` is `none`, unknown, or not one of those expected.
        case algorithm(String)
        /// None of the keys has the `kid` of the header, or is for its `alg`.
        case unknownKey(String?)
        case signature

        package var description: String {
            switch self {
            case .malformed(let reason): "the token \(reason)"
            case .critical: "the token's header has 'crit' with an extension that is not understood"
            case .algorithm(let name): "the token's 'alg' is \(name.forDisplay), which is not accepted here"
            case .unknownKey(let id?): "no key of the signer has the kid '\(id.forDisplay)' and fits the token's 'alg'"
            case .unknownKey(nil): "no key of the signer fits the token's 'alg'"
            case .signature: "the token's signature is wrong"
            }
        }
    }

    /// Takes a token apart.
    /// - Parameter most: the longest token that is read, in bytes.
    /// - Throws: ``Problem`` ``Problem/malformed(_:)`` or ``Problem/critical``.
    package init(parsing text: String, most: Int = 16_384) throws(Problem) {
        guard text.utf8.count <= most else { throw .malformed("is longer than \(most) bytes") }
        let parts = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]), let claims = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .malformed("is not header.claims.signature, each in base64url without padding") }
        guard let header = try? JSON.decode(JSONObject.self, from: Data(headerBytes)),
            let unverifiedClaims = try? JSON.decode(JSONObject.self, from: Data(claims))
        else { throw .malformed("has a header or claims that are no JSON object") }
        guard let name = header["alg"]?.string else { throw .malformed("has no 'alg' in its header") }
        guard header["crit"] == nil, header["b64"] == nil else { throw .critical }
        guard header["kid"].map({ $0.string != nil }) ?? true, header["typ"].map({ $0.string != nil }) ?? true else {
            throw .malformed("has a 'kid' or 'typ' that is no text")
        }
        (self.header, self.unverifiedClaims, self.signature) = (header, unverifiedClaims, signature)
        (algorithm, isUnsecured, keyID) = (JWSAlgorithm(rawValue: name), name == "none", header["kid"]?.string)
        let type = header["typ"]?.string?.lowercased()
        self.type = type.map { $0.hasPrefix("application/") ? String($0.dropFirst(12)) : $0 }
        signingInput = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
    }

    /// The claims, where one of `keys` has signed them.
    /// - Parameter algorithms: those that the verifier accepts; a shared secret's are never proved by a public key.
    /// - Throws: ``Problem``.
    package func verified(by keys: JSONWebKeySet, algorithms: Set<JWSAlgorithm>) throws(Problem) -> JSONObject {
        let algorithm = try accepted(algorithms.subtracting(JWSAlgorithm.symmetric))
        let candidates = keys.candidates(keyID: keyID, algorithm: algorithm)
        guard !candidates.isEmpty else { throw .unknownKey(keyID) }
        guard candidates.contains(where: { $0.verifies(signature, of: signingInput, by: algorithm) }) else {
            throw .signature
        }
        return unverifiedClaims
    }

    /// The claims, where `key` has signed them: one that the token itself brings, as a proof of possession does.
    /// - Throws: ``Problem``.
    package func verified(by key: JSONWebKey, algorithms: Set<JWSAlgorithm>) throws(Problem) -> JSONObject {
        let algorithm = try accepted(algorithms.subtracting(JWSAlgorithm.symmetric))
        guard key.fits(algorithm) else { throw .unknownKey(nil) }
        guard key.verifies(signature, of: signingInput, by: algorithm) else { throw .signature }
        return unverifiedClaims
    }

    /// The claims, where they are signed with `secret`, whose UTF-8 bytes are the key (OpenID Connect Core §10.1).
    /// - Throws: ``Problem``.
    package func verified(bySecret secret: String, algorithms: Set<JWSAlgorithm>) throws(Problem) -> JSONObject {
        let key = SymmetricKey(data: Array(secret.utf8))
        let isRight =
            switch try accepted(algorithms.intersection(JWSAlgorithm.symmetric)) {
            case .hs256:
                HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: signingInput, using: key)
            case .hs384:
                HMAC<SHA384>.isValidAuthenticationCode(signature, authenticating: signingInput, using: key)
            default:
                HMAC<SHA512>.isValidAuthenticationCode(signature, authenticating: signingInput, using: key)
            }
        guard isRight else { throw .signature }
        return unverifiedClaims
    }

    /// The claims of a token that nobody has signed, for where its maker has said that none will be (RFC 7519 §6).
    /// - Throws: ``Problem`` for a signed one: a signature that nobody checks is none.
    package func unsecuredClaims() throws(Problem) -> JSONObject {
        guard isUnsecured else { throw .algorithm(header["alg"]?.string ?? "") }
        guard signature.isEmpty else { throw .signature }
        return unverifiedClaims
    }

    private func accepted(_ algorithms: Set<JWSAlgorithm>) throws(Problem) -> JWSAlgorithm {
        guard let algorithm, algorithms.contains(algorithm) else {
            throw .algorithm(header["alg"]?.string ?? "")
        }
        return algorithm
    }
}

extension JSONObject {
    /// A `NumericDate` claim (RFC 7519 §2); nil where it is absent or no number.
    package func date(_ name: String) -> Date? {
        let seconds: Double? =
            switch self[name] {
            case .integer(let whole): Double(whole)
            case .number(let fraction): fraction
            default: nil
            }
        return seconds.flatMap { abs($0) < 1e11 ? Date(timeIntervalSince1970: $0) : nil }
    }
}
