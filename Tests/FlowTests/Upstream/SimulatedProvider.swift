import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// A provider of OpenID Connect that a test makes up.
struct SimulatedProvider {
    static let issuer = "https://provider.example.com"
    let web = SimulatedWeb()
    let key: ForeignKey

    /// - Parameter changes: to the provider's metadata; null removes a member.
    init(_ changes: JSONObject = [:]) throws {
        key = try ForeignKey.rsa()
        let metadata: JSONObject = [
            "issuer": .string(Self.issuer), "authorization_endpoint": .string("\(Self.issuer)/authorize"),
            "token_endpoint": .string("\(Self.issuer)/token"), "jwks_uri": .string("\(Self.issuer)/jwks"),
            "userinfo_endpoint": .string("\(Self.issuer)/userinfo"),
        ]
        try web.publish(
            .object(metadata.merging(changes) { $1 }.filter { $0.value != .null }),
            at: "\(Self.issuer)/.well-known/openid-configuration")
        try web.put([key], at: "\(Self.issuer)/jwks")
    }

    /// The usual tenant with the connection `acme`.
    static func fixtures(_ options: JSONObject = [:]) -> Fixtures {
        var fixtures = Fixtures()
        var connection = Connection(id: "con_acme000000000000", name: "acme", strategy: "oidc")
        connection.enabledClients = ["regular-web-app"]
        connection.options = ["client_id": "portico", "issuer": .string(issuer), "type": "back_channel"]
            .merging(options) { $1 }
        fixtures.connections.append(connection)
        fixtures.connectionSecrets = ["acme": ["client_secret": "upstream-secret"]]
        return fixtures
    }

    /// Claims of a good ID token for the login that a departure began.
    func claims(_ departure: TestResponse, _ server: TestServer) -> JSONObject {
        let now = Int64(server.clock.now.timeIntervalSince1970)
        return [
            "iss": .string(Self.issuer), "aud": "portico", "sub": "u-1", "iat": .integer(now),
            "exp": .integer(now + 300), "nonce": .string(departure.query("nonce") ?? ""), "email": "ada@acme.example",
            "email_verified": true, "name": "Ada",
        ]
    }

    /// Signs in with an ID token, whose claims `changes` replace; null removes one.
    func signIn(
        _ server: TestServer, _ changes: JSONObject = [:], token: ((JSONObject) throws -> String)? = nil,
        query: String = "", asking: [String: String?] = [:], in browser: TestBrowser? = nil
    ) async throws -> TestResponse {
        let browser = browser ?? TestBrowser(server)
        let departure = try await UpstreamLoginTests.depart(browser, ["connection": "acme"].merging(asking) { $1 })
        let claims = claims(departure, server).merging(changes) { $1 }.filter { $0.value != .null }
        let idToken = try token?(claims) ?? key.token(claims)
        try web.publish(
            [
                "access_token": "upstream-access", "token_type": "Bearer", "expires_in": 3600,
                "id_token": .string(idToken),
            ],
            at: "\(Self.issuer)/token")
        return try await UpstreamLoginTests.arrive(browser, departure, "code=c0de\(query)")
    }
}
