import Crypto
import Foundation
import OAuth
import Storage

/// JSON Web Tokens in compact form, [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519) and
/// [RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1).
package enum JSONWebToken {
    /// The encoded protected header: `alg`, `typ` and, where the key has one, `kid`.
    static func header(algorithm: SigningAlgorithm, type: String, keyID: String?) -> [UInt8] {
        let kid = keyID.map { #","kid":"\#($0)""# } ?? ""
        return Base64URL.encodeBytes(Array(#"{"alg":"\#(algorithm.rawValue)","typ":"\#(type)"\#(kid)}"#.utf8))
    }

    /// Signs `claims` with a key and its algorithm; the header names both.
    static func sign(_ claims: JSONObject, with key: KeyRing.Key, header: [UInt8]) throws -> String {
        var message = try signingInput(header, claims)
        let signature = try key.key.sign(message, key.algorithm)
        message.append(UInt8(ascii: "."))
        message += Base64URL.encodeBytes(signature)
        return String(decoding: message, as: UTF8.self)
    }

    /// Signs `claims` with HS256 and a secret that the verifier has too.
    static func sign(_ claims: JSONObject, secret: String, type: String = "JWT") throws -> String {
        var message = try signingInput(header(algorithm: .hs256, type: type, keyID: nil), claims)
        let signature = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Array(secret.utf8)))
        message.append(UInt8(ascii: "."))
        message += Base64URL.encodeBytes(Array(signature))
        return String(decoding: message, as: UTF8.self)
    }

    private static func signingInput(_ header: [UInt8], _ claims: JSONObject) throws -> [UInt8] {
        let payload = Base64URL.encodeBytes(Array(try JSON.bytes(claims)))
        var message = header
        message.reserveCapacity(header.count + payload.count + 345)
        message.append(UInt8(ascii: "."))
        message += payload
        return message
    }

    private struct Header: Decodable {
        let alg: String
        let typ: String?
        let kid: String?
        let crit: [String]?
    }

    /// The claims of a token of ours, where a signature of one of the tenant's keys proves them. The key is found by
    /// `kid` among our own and by nothing that the token itself brings (`jku`, `x5u`, `jwk`); the algorithm must be
    /// one of that key's (RFC 8725 §3.1).
    package static func verify(_ token: String, keys: KeyRing) -> JSONObject? {
        guard let parts = Parts(token), let keyID = parts.header.kid,
            let key = keys.verifier(id: keyID, algorithm: parts.header.alg),
            key.key.verifies(parts.signature, of: parts.message, key.algorithm)
        else { return nil }
        return parts.claims
    }

    /// The claims of a token of ours, where an HS256 signature with `secret` proves them.
    static func verify(_ token: String, secret: String) -> JSONObject? {
        guard let parts = Parts(token), parts.header.alg == SigningAlgorithm.hs256.rawValue,
            HMAC<SHA256>.isValidAuthenticationCode(
                parts.signature, authenticating: parts.message, using: SymmetricKey(data: Array(secret.utf8)))
        else { return nil }
        return parts.claims
    }

    /// The claims of a token whose signature nobody has looked at: good for finding what could prove it.
    static func unverifiedClaims(_ token: String) -> JSONObject? { Parts(token)?.claims }

    /// A token taken apart, nothing of it proved.
    private struct Parts {
        /// With as many claims as scripts may add to a token.
        private static let mostBytes = 160 * 1024
        let header: Header
        let claims: JSONObject
        let message, signature: [UInt8]

        init?(_ token: String) {
            guard token.utf8.count <= Self.mostBytes else { return nil }
            let parts = token.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
                let header = try? JSON.decode(Header.self, from: Data(headerBytes)), header.crit == nil,
                let signature = Base64URL.decode(parts[2]), let payload = Base64URL.decode(parts[1]),
                let claims = try? JSON.decode(JSONObject.self, from: Data(payload))
            else { return nil }
            (self.header, self.claims, self.signature) = (header, claims, signature)
            message = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        }
    }
}
