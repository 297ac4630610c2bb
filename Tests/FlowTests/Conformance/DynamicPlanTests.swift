import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import JWTKit
import OAuth
import Storage
import Synchronization
import TestSupport
import Testing

/// The plan `oidcc-dynamic-certification-test-plan`: each module registers a client of its own, which proves itself with
/// `private_key_jwt`. RegistrationTests, PairwiseSubjectTests and RegisteredChoicesTests have the modules that need no sign-in.
@Suite("Conformance: Dynamic OP")
struct DynamicPlanTests {
    typealias Profile = ConformanceProfile

    private static let keysURI = "https://app.example.com/keys.json"
    private static let requestURI = "https://app.example.com/requests/"

    /// The metadata that the suite sends.
    private static func metadata(
        _ profile: Profile, _ key: ForeignKey, _ changes: [String: JSONValue?] = [:]
    ) throws -> [String: JSONValue?] {
        var grants: [JSONValue] = profile.hasCode ? ["authorization_code"] : []
        if profile.hasToken || profile.hasIDToken { grants.append("implicit") }
        var publicKey = try key.jsonWebKey
        (publicKey["use"], publicKey["alg"]) = ("sig", "RS256")
        let members: [String: JSONValue?] = [
            "client_name": "OIDF Conformance Test", "contacts": ["certification@example.com"],
            "grant_types": .array(grants), "response_types": [.string(profile.responseType)],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": ["keys": [.object(publicKey)]],
        ]
        return members.merging(changes) { $1 }
    }

    /// Registers a client, with the checks that the suite makes of each registration.
    private static func run(
        _ profile: Profile, _ key: ForeignKey? = nil, _ changes: [String: JSONValue?] = [:],
        web: SimulatedWeb = SimulatedWeb(), _ body: @Sendable (ConformanceClient, JSONObject) async throws -> Void
    ) async throws {
        let key = try key ?? .rsa(keyID: nil)
        var fixtures = Fixtures.openRegistration
        fixtures.users[0].0.profile = ConformanceClient.userClaims
        try await TestServer.run(fixtures, outbound: web) { server in
            let sent = DynamicClient.metadata(try metadata(profile, key, changes))
            let response = try await DynamicClient.send(sent, to: server)
            #expect(response.status == .created)
            #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
            let answer = try response.json()
            #expect(answer["client_id"]?.string?.isEmpty == false && answer["error"] == nil)
            #expect(answer["registration_client_uri"]?.string?.hasPrefix(TestServer.issuer) == true)
            #expect(answer["registration_access_token"]?.string?.isEmpty == false)
            #expect(answer["client_secret"] == nil || answer["client_secret_expires_at"] != nil)
            for (name, value) in sent { #expect(answer[name] == value, "\(name)") }
            var client = ConformanceClient(
                server: server, profile: profile, clientID: answer["client_id"]?.string ?? "", proof: .key(key))
            client.callback = sent["redirect_uris"]?.array?.first?.string ?? Client.callback
            try await body(client, answer)
        }
    }

    /// Sends metadata that must be refused.
    private static func refusal(_ profile: Profile, _ changes: [String: JSONValue?]) async throws -> String? {
        let found = Mutex<String?>(nil)
        try await TestServer.run(.openRegistration) { server in
            let sent = DynamicClient.metadata(try metadata(profile, .rsa(keyID: nil), changes))
            let response = try await DynamicClient.send(sent, to: server)
            #expect(response.status == .badRequest)
            #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
            let error = try response.json()["error"]?.string
            found.withLock { $0 = error }
        }
        return found.withLock(\.self)
    }

    // MARK: ID tokens and userinfo

    @Test("oidcc-server (OIDC Core §3, OIDC Registration §3)", arguments: Profile.dynamic)
    func server(_ profile: Profile) async throws {
        try await Self.run(profile) { client, _ in
            let signIn = try await client.signIn()
            #expect(signIn.claims["sub"]?.string == User.ada.id)
            #expect(try await client.userInfo(signIn)["sub"]?.string == User.ada.id)
        }
    }

    @Test("oidcc-idtoken-rs256 (OIDC Registration §2, OIDC Core §3.1.3.7)", arguments: Profile.dynamic)
    func idTokenRS256(_ profile: Profile) async throws {
        try await Self.run(profile, nil, ["id_token_signed_response_alg": "RS256"]) { client, _ in
            let signIn = try await client.signIn()
            #expect(signIn.idToken.tokenHeader["alg"] == "RS256")
            #expect(signIn.idToken.tokenHeader["kid"]?.string?.isEmpty == false)
        }
    }

    @Test("oidcc-idtoken-unsigned (OIDC Registration §2)", arguments: Profile.dynamic)
    func idTokenUnsigned(_ profile: Profile) async throws {
        // Not offered, so the suite leaves it out; a client that asks for it all the same is told.
        #expect(try await Self.refusal(profile, ["id_token_signed_response_alg": "none"]) == "invalid_client_metadata")
    }

    private struct UserInfo: JWTPayload {
        let iss: IssuerClaim
        let aud: AudienceClaim
        let sub: SubjectClaim
        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    @Test("oidcc-userinfo-rs256 (OIDC Core §5.3.2)", arguments: Profile.dynamic)
    func userInfoRS256(_ profile: Profile) async throws {
        try await Self.run(profile, nil, ["userinfo_signed_response_alg": "RS256"]) { client, _ in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            #expect(metadata["userinfo_signing_alg_values_supported"]?.array?.contains("RS256") == true)
            let token = try await client.signIn().accessToken ?? ""
            let answer = try await client.server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType]?.hasPrefix("application/jwt") == true)
            #expect(answer.text.tokenHeader["alg"] == "RS256")
            let keys = JWTKeyCollection()
            try await keys.add(jwksJSON: try await client.server.get("/.well-known/jwks.json").text)
            let claims = try await keys.verify(answer.text, as: UserInfo.self)
            #expect(claims.iss.value == TestServer.issuer && claims.aud.value == [client.clientID])
            #expect(claims.sub.value == User.ada.id)
            #expect(answer.text.claims["nonce"] == nil)
        }
    }

    // MARK: Redirect URIs

    /// An error page, and no redirect.
    private static func expectErrorPage(_ response: TestResponse) {
        #expect(response.location == nil)
        #expect((400..<500).contains(response.status.code))
        #expect(response.headers[.contentType]?.hasPrefix("text/html") == true)
        #expect(!response.text.contains("<form"))
    }

    @Test(
        "oidcc-ensure-redirect-uri-in-authorization-request (RFC 6749 §3.1.2.3, OIDC Core §3.1.2.1)",
        arguments: Profile.dynamic)
    func redirectURIMissing(_ profile: Profile) async throws {
        let uris: JSONValue = [.string(Client.callback), "https://example.org/redirect"]
        try await Self.run(profile, nil, ["redirect_uris": uris]) { client, _ in
            let request = client.request(["redirect_uri": nil])
            Self.expectErrorPage(try await client.server.get(ConformanceClient.url(request)))
        }
    }

    @Test("oidcc-redirect-uri-query-OK (RFC 6749 §3.1.2)", arguments: Profile.dynamic)
    func redirectURIQuery(_ profile: Profile) async throws {
        let uri: JSONValue = .string(Client.callback + "?bar=foo")
        try await Self.run(profile, nil, ["redirect_uris": [uri]]) { client, _ in
            _ = try await client.signIn()
        }
    }

    @Test(
        "oidcc-redirect-uri-query-mismatch (OIDC Core §3.1.2.1)", arguments: Profile.dynamic)
    func redirectURIQueryMismatch(_ profile: Profile) async throws {
        let uri: JSONValue = .string(Client.callback + "?bar=foo")
        try await Self.run(profile, nil, ["redirect_uris": [uri]]) { client, _ in
            for other in ["?foo=bar", "?bar=foo&foo=bar", "?bar=Foo", ""] {
                let request = client.request(["redirect_uri": Client.callback + other])
                Self.expectErrorPage(try await client.server.get(ConformanceClient.url(request)))
            }
        }
    }

    @Test("oidcc-redirect-uri-query-added (OIDC Core §3.1.2.1)", arguments: Profile.dynamic)
    func redirectURIQueryAdded(_ profile: Profile) async throws {
        try await Self.run(profile) { client, _ in
            let request = client.request(["redirect_uri": Client.callback + "?bar=foo"])
            Self.expectErrorPage(try await client.server.get(ConformanceClient.url(request)))
        }
    }

    @Test("oidcc-redirect-uri-regfrag (RFC 6749 §3.1.2, OIDC Registration §3.3)", arguments: Profile.dynamic)
    func redirectURIFragment(_ profile: Profile) async throws {
        let uri: JSONValue = .string(Client.callback + "#fragment")
        #expect(try await Self.refusal(profile, ["redirect_uris": [uri]]) == "invalid_redirect_uri")
    }

    // MARK: What a client publishes

    @Test("oidcc-registration-jwks-uri (OIDC Registration §2, OIDC Core §9)", arguments: Profile.dynamic)
    func keysURI(_ profile: Profile) async throws {
        let (web, key) = (SimulatedWeb(), try ForeignKey.rsa(keyID: "first"))
        try web.put([key], at: Self.keysURI)
        try await Self.run(profile, key, ["jwks": nil, "jwks_uri": .string(Self.keysURI)], web: web) { client, _ in
            _ = try await client.signIn()
        }
    }

    @Test(
        "oidcc-registration-sector-uri, oidcc-registration-sector-bad (OIDC Registration §5)",
        arguments: Profile.dynamic)
    func sector(_ profile: Profile) async throws {
        let (web, sector) = (SimulatedWeb(), "https://sector.example.com/redirect_uris.json")
        let changes: [String: JSONValue?] = ["subject_type": "pairwise", "sector_identifier_uri": .string(sector)]
        try web.publish([.string(Client.callback)], at: sector)
        try await Self.run(profile, nil, changes, web: web) { client, _ in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            #expect(metadata["subject_types_supported"]?.array?.contains("pairwise") == true)
            #expect(try await client.signIn().claims["sub"]?.string != User.ada.id)
            try web.publish(["https://example.org/another"], at: sector)
            let sent = DynamicClient.metadata(try Self.metadata(profile, .rsa(keyID: nil), changes))
            let refused = try await DynamicClient.send(sent, to: client.server)
            #expect(refused.status == .badRequest)
            #expect(try refused.json()["error"] == "invalid_client_metadata")
        }
    }

    // MARK: Keys that change

    @Test("oidcc-server-rotate-keys (OIDC Core §10.1.1)")
    func serverKeys() async throws {
        try await TestServer.run { server in
            func published() async throws -> Set<String> {
                let keys = try await server.get("/.well-known/jwks.json").json()["keys"]?.array ?? []
                let names = keys.compactMap { $0.object?["kid"]?.string }
                #expect(names.count == keys.count && Set(names).count == names.count)
                return Set(names)
            }
            let before = try await published()
            let token = try await RelyingParty.regularWebApp(server).tokens()["id_token"]?.string ?? ""
            _ = try await server.services.signingKeys.rotate(at: server.clock.now)
            try await server.services.configuration.refresh()
            let after = try await published()
            #expect(!after.isSubset(of: before))
            #expect(after.contains(token.tokenHeader["kid"]?.string ?? "none"))
            let next = try await RelyingParty.regularWebApp(server).tokens()["id_token"]?.string ?? ""
            // The key that signs now was published before, so that nobody sees a signature by a key unheard of.
            #expect(before.contains(next.tokenHeader["kid"]?.string ?? "none"))
            #expect(next.tokenHeader["kid"] != token.tokenHeader["kid"])
        }
    }

    @Test("oidcc-refresh-token-rp-key-rotation (OIDC Core §10.1.1, §12)", arguments: Profile.dynamic)
    func clientKeys(_ profile: Profile) async throws {
        let web = SimulatedWeb()
        let (old, new) = (try ForeignKey.rsa(keyID: "old"), try ForeignKey.rsa("other", keyID: "new"))
        try web.put([old], at: Self.keysURI)
        let grants = (try Self.metadata(profile, old)["grant_types"]??.array ?? []) + ["refresh_token"]
        let changes: [String: JSONValue?] = [
            "jwks": nil, "jwks_uri": .string(Self.keysURI), "grant_types": .array(grants),
        ]
        try await Self.run(profile, old, changes, web: web) { client, _ in
            let signIn = try await client.signIn(["scope": "openid offline_access", "prompt": "consent"])
            let token = signIn.tokens["refresh_token"]?.string ?? ""
            #expect(!token.isEmpty)
            try web.put([new], at: Self.keysURI)
            client.server.clock.advance(by: 60)
            var rotated = client
            rotated.proof = .key(new)
            let form = [("grant_type", "refresh_token"), ("refresh_token", token)]
            let tokens = try rotated.checkedTokens(try await rotated.token(form))
            #expect(tokens["id_token"]?.string?.claims["sub"] == signIn.claims["sub"])
            let bearer = "Bearer \(tokens["access_token"]?.string ?? "")"
            #expect(try await client.server.get("/userinfo", headers: [.authorization: bearer]).status == .ok)
        }
    }

    @Test("oidcc-refresh-token (OIDC Core §12)", arguments: Profile.dynamic)
    func refreshToken(_ profile: Profile) async throws {
        let grants = (try Self.metadata(profile, .rsa(keyID: nil))["grant_types"]??.array ?? []) + ["refresh_token"]
        try await Self.run(profile, nil, ["grant_types": .array(grants)]) { client, _ in
            let signIn = try await client.signIn(["scope": "openid offline_access", "prompt": "consent"])
            client.server.clock.advance(by: 1)
            let token = signIn.tokens["refresh_token"]?.string ?? ""
            let refreshed = try client.checkedTokens(
                try await client.token([("grant_type", "refresh_token"), ("refresh_token", token)]))
            #expect(refreshed["access_token"] != signIn.tokens["access_token"])
            let claims = refreshed["id_token"]?.string?.claims ?? [:]
            for name in ["iss", "sub", "aud"] { #expect(claims[name] == signIn.claims[name], "\(name)") }
            // Another client's refresh token is nothing to this one.
            let other = DynamicClient.metadata(
                try Self.metadata(profile, .rsa("other", keyID: nil), ["grant_types": .array(grants)]))
            let registered = try await DynamicClient.send(other, to: client.server).json()
            let stranger = ConformanceClient(
                server: client.server, profile: profile, clientID: registered["client_id"]?.string ?? "",
                proof: .key(try .rsa("other", keyID: nil)))
            let next = refreshed["refresh_token"]?.string ?? token
            let refused = try await stranger.token([("grant_type", "refresh_token"), ("refresh_token", next)])
            #expect(refused.status == .badRequest)
            #expect(try refused.json()["error"] == "invalid_grant")
        }
    }

    @Test(
        "oidcc-ensure-client-assertion-with-iss-aud-succeeds (RFC 7523 §3, OIDC Core §9)", arguments: Profile.dynamic)
    func issuerAudience(_ profile: Profile) async throws {
        try await Self.run(profile) { client, _ in
            var client = client
            client.proof = .key(try .rsa(keyID: nil), audience: TestServer.issuer)
            _ = try await client.signIn()
        }
    }

    // MARK: Request objects

    /// Signs in with a request that stands at an address which the client has registered, with a fragment as the suite's.
    private static func byReference(
        _ profile: Profile, _ changes: [String: JSONValue?] = [:],
        _ object: @escaping @Sendable (ConformanceClient, [String: String]) throws -> String
    ) async throws {
        let (web, name) = (SimulatedWeb(), Secret.random().text)
        let address = requestURI + name + "#" + Secret.random().text
        let registered = changes.merging(["request_uris": [.string(address)]]) { $1 }
        try await run(profile, nil, registered, web: web) { client, _ in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            #expect(metadata["request_uri_parameter_supported"] == true)
            let algorithms = metadata["request_object_signing_alg_values_supported"]?.array ?? []
            #expect(algorithms.contains("RS256") && algorithms.contains("none"))
            let request = client.request()
            web.put(try object(client, request), at: requestURI + name, type: "application/jwt")
            var sent = request.filter { ["response_type", "client_id", "scope", "redirect_uri"].contains($0.key) }
            sent["request_uri"] = address
            let (response, sawLogin) = try await client.send(sent, TestBrowser(client.server))
            _ = try await client.finish(response, of: request, sawLogin: sawLogin)
        }
    }

    @Test("oidcc-request-uri-unsigned (OIDC Core §6.2, OIDC Registration §2)", arguments: Profile.dynamic)
    func requestURIUnsigned(_ profile: Profile) async throws {
        try await Self.byReference(profile) { try $0.unsignedObject($1) }
    }

    @Test("oidcc-request-uri-signed-rs256 (OIDC Core §6.1, §6.2)", arguments: Profile.dynamic)
    func requestURISigned(_ profile: Profile) async throws {
        try await Self.byReference(profile, ["request_object_signing_alg": "RS256"]) { client, request in
            var claims = request.mapValues(JSONValue.string)
            (claims["iss"], claims["aud"]) = (.string(client.clientID), .string(TestServer.issuer))
            return try ForeignKey.rsa(keyID: nil).token(claims)
        }
    }

    @Test("oidcc-ensure-request-object-with-redirect-uri (OIDC Core §6.1)", arguments: Profile.dynamic)
    func requestObjectRedirectURI(_ profile: Profile) async throws {
        try await Self.run(profile) { client, _ in
            let request = client.request()
            var sent = request.merging(["redirect_uri": Client.callback + Secret.random().text]) { $1 }
            sent["request"] = try client.unsignedObject(request)
            let (response, sawLogin) = try await client.send(sent, TestBrowser(client.server))
            _ = try await client.finish(response, of: request, sawLogin: sawLogin)
        }
    }
}
