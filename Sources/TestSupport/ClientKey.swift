import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth

/// A key of an application's that proves possession (RFC 9449), and the requests with its proofs.
package struct ClientKey: Sendable {
    package let key: ForeignKey
    private let server: TestServer

    package init(_ server: TestServer, _ key: ForeignKey = .p256(keyID: nil)) {
        (self.server, self.key) = (server, key)
    }

    /// The `jkt` of what is bound to the key.
    package var thumbprint: String {
        get throws {
            let members = try key.jsonWebKey.filter { $0.key != "kid" }
            return Base64URL.encode(SHA256.hash(data: try JSON.bytes(members)))
        }
    }

    /// A proof for one request; `claims` and `header` add to the usual ones or replace them, and null removes one.
    package func proof(
        _ method: String = "POST", _ path: String = "oauth/token", accessToken: String? = nil, nonce: String? = nil,
        claims changes: JSONObject = [:], header: JSONObject = [:]
    ) throws -> String {
        var claims: JSONObject = [
            "htm": .string(method), "htu": .string(TestServer.issuer + path), "jti": .string(UUID().uuidString),
            "iat": .integer(Int64(server.clock.now.timeIntervalSince1970)),
        ]
        claims["ath"] = accessToken.map { .string(Base64URL.encode(SHA256.hash(data: Array($0.utf8)))) }
        claims["nonce"] = nonce.map(JSONValue.string)
        let jwk = try key.jsonWebKey.filter { $0.key != "kid" }
        return try key.token(
            claims.merging(changes) { $1 }.filter { $0.value != .null },
            header: ["typ": "dpop+jwt", "kid": .null, "jwk": .object(jwk)].merging(header) { $1 })
    }

    /// The headers of a token request with a new proof.
    package func headers(nonce: String? = nil) throws -> HTTPFields { try [.dpop: proof(nonce: nonce)] }

    /// Presents an access token at the userinfo endpoint, with a new proof.
    package func userInfo(_ accessToken: String, _ proof: String? = nil) async throws -> TestResponse {
        try await server.get(
            "/userinfo",
            headers: [
                .authorization: "DPoP \(accessToken)",
                .dpop: try proof ?? self.proof("GET", "userinfo", accessToken: accessToken),
            ])
    }
}

// Valid literals, so they always exist.
extension HTTPField.Name {
    package static let dpop = HTTPField.Name("DPoP") ?? .authorization
    package static let dpopNonce = HTTPField.Name("DPoP-Nonce") ?? .wwwAuthenticate
}
