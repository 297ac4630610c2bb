import JWTKit

/// The part of the discovery document that this application needs.
struct Metadata: Decodable, Sendable {
    let issuer: String
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let jwksURI: String

    enum CodingKeys: String, CodingKey {
        case issuer
        case authorizationEndpoint = "authorization_endpoint"
        case tokenEndpoint = "token_endpoint"
        case jwksURI = "jwks_uri"
    }
}

/// What the token endpoint grants ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
struct TokenResponse: Decodable, Sendable {
    let accessToken: String
    let idToken: String?
    let refreshToken: String?
    /// How long the access token is valid, in seconds.
    let expiresIn: Double?

    enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case idToken = "id_token"
        case refreshToken = "refresh_token"
        case expiresIn = "expires_in"
    }
}

/// Why the token endpoint refuses ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
struct TokenError: Error, Decodable {
    let code: String
    let description: String?

    enum CodingKeys: String, CodingKey {
        case code = "error"
        case description = "error_description"
    }
}

/// What the browser brings to `/callback`: a code or an error, and always the state; tokens in the Hybrid Flow alone.
struct AuthorizationResponse: Decodable {
    let state: String?
    let code: String?
    let idToken: String?
    let accessToken: String?
    let error: String?
    let errorDescription: String?
    /// Who answers, where the server says so ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)).
    let iss: String?

    enum CodingKeys: String, CodingKey {
        case state, code, error, iss
        case idToken = "id_token"
        case accessToken = "access_token"
        case errorDescription = "error_description"
    }
}

/// The keys of a JWKS; one of a kind that is not understood is passed over (RFC 7517 §5).
struct KeySet: Decodable, Sendable {
    let keys: [Entry]

    struct Entry: Decodable, Sendable {
        let key: JWK?

        init(from decoder: any Decoder) throws {
            key = try? JWK(from: decoder)
        }
    }
}
