import Crypto

/// Proof Key for Code Exchange, [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636).
package struct ProofKey: Sendable, Equatable, Codable {
    /// How the challenge is made from the verifier, RFC 7636 §4.3.
    package enum Method: String, Sendable, CaseIterable, Codable {
        case plain
        case s256 = "S256"
    }

    package let challenge: String
    package let method: Method

    /// The `code_challenge` and `code_challenge_method` of an authorization request; nil where neither is sent.
    /// - Throws: ``OAuthError`` `invalid_request` for a method without a challenge, an unknown method or a challenge
    ///   that no verifier can have made (RFC 7636 §4.2).
    package init?(_ parameters: Parameters) throws(OAuthError) {
        let method = parameters["code_challenge_method"]
        guard let challenge = parameters["code_challenge"] else {
            guard method == nil else { throw .missingParameter("code_challenge") }
            return nil
        }
        guard let known = Method(rawValue: method ?? "plain") else {
            throw .invalidRequest(
                "Unsupported code_challenge_method: \((method ?? "").forDisplay)",
                hint: "Send code_challenge_method=S256.")
        }
        guard Self.isWellFormed(challenge), known == .plain || challenge.utf8.count == 43 else {
            throw .invalidRequest(
                "Malformed code_challenge",
                hint: "With S256 it is BASE64URL(SHA256(code_verifier)): 43 characters of A–Z a–z 0–9 - _ without '='.")
        }
        self.challenge = challenge
        self.method = known
    }

    /// Whether `verifier` made the challenge, compared in constant time.
    package func verifies(_ verifier: String) -> Bool {
        guard Self.isWellFormed(verifier) else { return false }
        let made =
            switch method {
            case .plain: verifier
            case .s256: Base64URL.encode(SHA256.hash(data: Array(verifier.utf8)))
            }
        return ConstantTime.equal(made, challenge)
    }

    /// 43 to 128 unreserved characters, RFC 7636 §4.1.
    private static func isWellFormed(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}
