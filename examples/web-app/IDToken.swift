import Foundation
import Hummingbird
import JWTKit

/// What a verified ID token says of the user. JWTKit verifies the signature; ``init(verifying:keys:settings:nonce:)``
/// does the rest.
struct IDToken: JWTPayload {
    let iss: String
    let sub: String
    let aud: Audience
    let azp: String?
    let exp: Double
    let nonce: String?
    /// Of the code and the access token that came with the token: see ``FrontChannel``.
    let codeHash: String?
    let accessTokenHash: String?
    let name: String?
    let email: String?

    enum CodingKeys: String, CodingKey {
        case iss, sub, aud, azp, exp, nonce, name, email
        case codeHash = "c_hash"
        case accessTokenHash = "at_hash"
    }

    /// How far the server's clock and ours may be apart, in seconds.
    private static let clockSkew = 5.0

    /// Makes sure that the token is from our identity server, for this application, valid now, and for the sign-in
    /// with `nonce` (OpenID Connect Core §3.1.3.7).
    /// - Parameter nonce: nil for a token that a refresh brought, where there is none to expect (§12.2).
    /// - Throws: ``Problem``.
    init(verifying token: String, keys: KeySet, settings: Settings, nonce: String?) async throws {
        guard let header = JWTParts(token)?.decodedHeader, header.alg == "RS256",
            var key = keys.keys.compactMap(\.key).first(where: {
                $0.keyType == .rsa && $0.keyIdentifier?.string == header.kid
            })
        else { throw Self.refused("it is not signed with RS256 and one of the server's keys") }
        key.algorithm = .rs256
        do {
            self = try await JWTKeyCollection().add(jwk: key).verify(token)
        } catch {
            throw Self.refused("its signature is wrong, or a claim is missing")
        }
        guard iss == settings.issuer else { throw Self.refused("it is from \(iss), not from \(settings.issuer)") }
        guard aud.values.contains(settings.clientID), azp == nil || azp == settings.clientID else {
            throw Self.refused("it is for another application")
        }
        guard Date().timeIntervalSince1970 < exp + Self.clockSkew else {
            throw Self.refused("it has expired, unless one of the two clocks is wrong")
        }
        guard nonce == nil || self.nonce == nonce else {
            throw Self.refused("its nonce is not the one that this sign-in began with")
        }
    }

    func verify(using algorithm: some JWTAlgorithm) {}

    private static func refused(_ reason: String) -> Problem {
        Problem(.badGateway, "The ID token was refused", "The identity server sent an ID token, but \(reason).")
    }

    /// `aud` is a text or a list of them.
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

/// The parts of a JWT that can be read, which proves nothing about them.
struct JWTParts {
    private let header: Data
    private let payload: Data

    /// nil for a token that is no JWT, such as an opaque one.
    init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Data(base64URL: parts[0]), let payload = Data(base64URL: parts[1]) else {
            return nil
        }
        (self.header, self.payload) = (header, payload)
    }

    struct Header: Decodable {
        let alg: String
        let kid: String?
    }

    var decodedHeader: Header? { try? JSONDecoder().decode(Header.self, from: header) }
    var prettyHeader: String { header.prettyJSON }
    var prettyPayload: String { payload.prettyJSON }
}

extension Data {
    /// JSON with line ends and indentation; anything else as it is.
    var prettyJSON: String {
        guard let object = try? JSONSerialization.jsonObject(with: self, options: .fragmentsAllowed),
            let pretty = try? JSONSerialization.data(
                withJSONObject: object,
                options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
        else { return String(decoding: self, as: UTF8.self) }
        return String(decoding: pretty, as: UTF8.self)
    }
}
