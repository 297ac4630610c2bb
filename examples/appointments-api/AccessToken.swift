import Foundation
import JWTKit

/// An access token of this API's issuer that is for this API, and is valid now.
struct AccessToken: Sendable {
    /// The user on whose behalf the application calls, or the application itself as `…@clients`.
    let subject: String
    let scopes: [String]
}

/// Decides which tokens are ``AccessToken``s.
struct AccessTokenVerifier: Sendable {
    let issuer: String
    let audience: String
    let keys: IssuerKeys

    /// How far the issuer's clock and ours may be apart, in seconds.
    private static let clockSkew = 5.0

    /// - Throws: ``BearerError`` `invalid_token` that says what is wrong, or ``IssuerUnavailable``.
    func verify(_ token: String) async throws -> AccessToken {
        let header = try Header(of: token)
        // The algorithm is ours to choose, never the token's: "none" and HMAC with the public key are known attacks.
        guard header.alg == "RS256" else {
            throw BearerError.invalidToken("The token is signed with \(header.alg); this API accepts only RS256.")
        }
        guard let kid = header.kid, let keys = try await keys.keys(with: kid) else {
            throw BearerError.invalidToken(
                "The token's key (kid \(header.kid ?? "missing")) is not among those of \(issuer).")
        }
        let claims: Claims
        do {
            claims = try await keys.verify(token, as: Claims.self)
        } catch let error as JWTError where error.errorType == .malformedToken {
            throw BearerError.invalidToken("The token lacks iss, sub, aud or exp, or a claim has a wrong type.")
        } catch {
            throw BearerError.invalidToken("The token's signature is wrong.")
        }
        return try accept(claims)
    }

    /// The checks of [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4) that concern claims.
    private func accept(_ claims: Claims) throws(BearerError) -> AccessToken {
        let now = Date().timeIntervalSince1970
        guard claims.iss == issuer else {
            throw .invalidToken("The token is from \(claims.iss); this API accepts only those of \(issuer).")
        }
        guard claims.aud.values.contains(audience) else {
            throw .invalidToken(
                "The token is for \(claims.aud.values.first ?? "nobody"), not for this API, \(audience).")
        }
        guard now < claims.exp + Self.clockSkew else { throw .invalidToken("The token has expired.") }
        guard claims.nbf.map({ now >= $0 - Self.clockSkew }) ?? true else {
            throw .invalidToken("The token is not valid yet.")
        }
        return AccessToken(
            subject: claims.sub, scopes: (claims.scope ?? "").split(separator: " ").map(String.init))
    }
}

/// What a JWT says of itself before anybody has verified it.
private struct Header: Decodable {
    let alg: String
    let kid: String?

    /// - Throws: ``BearerError`` `invalid_token` when `token` is not a signed JWT.
    init(of token: String) throws(BearerError) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let data = Data(base64URL: parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: data)
        else {
            throw .invalidToken(
                "The token is not a signed JWT. The application gets one if it asks for this API's audience.")
        }
        self = header
    }
}

/// The claims that matter here. JWTKit verifies the signature only; ``AccessTokenVerifier`` does the rest.
private struct Claims: JWTPayload {
    let iss: String
    let sub: String
    let aud: Audience
    let exp: Double
    let nbf: Double?
    let scope: String?

    func verify(using algorithm: some JWTAlgorithm) {}

    /// `aud` is a text or a list of them ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
    struct Audience: Codable {
        let values: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            values = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
        }

        func encode(to encoder: any Encoder) throws {
            try values.encode(to: encoder)
        }
    }
}

extension Data {
    fileprivate init?(base64URL text: some StringProtocol) {
        let base64 = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        self.init(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))
    }
}
