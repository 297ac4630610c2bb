import Crypto
import Foundation
import Hummingbird

/// What comes through the browser in the Hybrid Flow, beside the code: an ID token that tells at once who the user is,
/// and an access token.
///
/// The browser may have brought parts of two answers, or been made to. The ID token's hashes tell: only the server can
/// make them, and each is of what was sent along with it.
struct FrontChannel: Sendable {
    let userID: String
    let idToken: String
    /// It has been where others may have seen it: the API is called with that of the token endpoint.
    let accessToken: String
    let hashes: [Hash]

    /// A hash in the ID token that has been compared.
    struct Hash: Sendable {
        let claim: String
        let of: String
        let value: String
    }

    /// Makes sure that the ID token, the code and the access token belong together (OpenID Connect Core §3.3.2.9–10).
    /// - Throws: ``Problem``.
    init(
        verifying answer: AuthorizationResponse, code: String, keys: KeySet, settings: Settings, nonce: String
    ) async throws {
        guard let idToken = answer.idToken, let accessToken = answer.accessToken else {
            throw Problem(
                .badRequest, "The answer is not whole",
                "In the Hybrid Flow the browser brings a code, an ID token and an access token.")
        }
        let claims = try await IDToken(verifying: idToken, keys: keys, settings: settings, nonce: nonce)
        hashes = [
            try Self.compared("c_hash", claims.codeHash, with: "code", code),
            try Self.compared("at_hash", claims.accessTokenHash, with: "access token", accessToken),
        ]
        (userID, self.idToken, self.accessToken) = (claims.sub, idToken, accessToken)
    }

    private static func compared(_ claim: String, _ value: String?, with name: String, _ text: String) throws -> Hash {
        let expected = leftHalf(text)
        guard value == expected else {
            throw Problem(
                .badRequest, "The answer was put together",
                "The ID token's \(claim) is \(value ?? "not there"), but the \(name) that the browser brought has the "
                    + "hash \(expected). Somebody has exchanged one of them.")
        }
        return Hash(claim: claim, of: name, value: expected)
    }

    /// The left half of the SHA-256 hash, as RS256 wants it (OpenID Connect Core §3.3.2.11).
    private static func leftHalf(_ text: String) -> String {
        Data(SHA256.hash(data: Data(text.utf8)).prefix(16)).base64URL
    }
}
