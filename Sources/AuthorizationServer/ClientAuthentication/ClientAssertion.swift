import Foundation
import OAuth
import Storage

/// A token with which a client proves itself, [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3) and OpenID
/// Connect Core §9.
struct ClientAssertion: Sendable {
    let token: SignedToken

    /// The `client_assertion_type`, RFC 7523 §2.2.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// Bytes; assertions have a handful of short claims.
    static let mostBytes = 4096
    /// A token that was made for another purpose is no assertion, whoever signed it.
    private static let tokenTypes: Set<String?> = [nil, "jwt", "client-authentication+jwt"]

    /// - Throws: ``OAuthError`` `invalid_client` where there is no assertion, or no token of its kind.
    init(_ credentials: ClientCredentials, of client: Client) throws(OAuthError) {
        guard let text = credentials.assertion else {
            throw .invalidClient(
                hint: "This application proves itself with \(client.tokenEndpointAuthMethod.rawValue): send "
                    + "client_assertion and client_assertion_type, and no secret.")
        }
        do throws(SignedToken.Problem) {
            token = try SignedToken(parsing: text, most: Self.mostBytes)
        } catch {
            throw Self.refused(error.description)
        }
        guard Self.tokenTypes.contains(token.type) else {
            throw Self.refused("its 'typ' is that of another kind of token")
        }
    }

    static func refused(_ problem: String) -> OAuthError {
        OAuthError(
            .invalidClient, "Client assertion refused: \(problem)",
            hint: "RFC 7523 §3 says what a client assertion must have.", reason: .clientAssertion)
    }

    /// Checks the claims of an assertion whose signature is right, and uses it up.
    static func use(_ claims: JSONObject, clientID: String, _ services: Services) async throws {
        let dialect = try await services.configuration.settings().wireDialect
        let now = services.now()
        guard claims["iss"]?.string == clientID, claims["sub"]?.string == clientID else {
            throw refused("its 'iss' and 'sub' must both be the client_id")
        }
        // One audience, as text: an assertion that several servers accept is one that each of them can use at the others.
        var audiences = [services.issuer.text]
        if dialect == .standard { audiences.append(services.issuer.url("oauth/token")) }
        guard let audience = claims["aud"]?.string, audiences.contains(audience) else {
            throw refused("its 'aud' must be the issuer, \(services.issuer.text), as a text and no list")
        }
        let expiry = try AssertionTimes.expiry(of: claims, at: now, refused: refused)
        let longestID = dialect == .auth0 ? 64 : 255
        guard let id = claims["jti"]?.string, (1...longestID).contains(id.utf8.count) else {
            throw refused("its 'jti' must be a text of 1 to \(longestID) bytes")
        }
        let isFirst = try await services.stores.database.write { transaction in
            try UsedAssertionStore.use(
                .clientAssertion, issuer: clientID, id: id, expiresAt: expiry.addingTimeInterval(AssertionTimes.skew),
                in: transaction)
        }
        guard isFirst else { throw refused("its 'jti' was used before; make a new assertion for each request") }
    }
}
