import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Discovery, userinfo, client credentials, CORS")
struct ProviderTests {
    @Test("OIDC Discovery §3: the metadata names endpoints that are there")
    func metadata() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/.well-known/openid-configuration").json()
            #expect(document["issuer"] == "https://login.example.com/")
            #expect(try await server.get("/.well-known/oauth-authorization-server").json() == document)
            for (name, value) in document where name.hasSuffix("_endpoint") || name == "jwks_uri" {
                let path = (value.string ?? "").replacing("https://login.example.com", with: "")
                let method: HTTPRequest.Method = path.hasPrefix("/oauth") || path.hasPrefix("/mfa") ? .post : .get
                let answer = try await server.client.execute(uri: path, method: method)
                #expect(answer.status != .notFound, "\(name)")
            }
        }
    }

    @Test("OpenID Connect Discovery §3: the grants that are named suffice for every response type that is")
    func discoveredGrants() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/.well-known/openid-configuration").json()
            let named = Set(document["grant_types_supported"]?.array?.compactMap(\.string) ?? [])
            #expect(named.isSuperset(of: ["authorization_code", "implicit", "refresh_token", "client_credentials"]))
            for type in document["response_types_supported"]?.array?.compactMap(\.string) ?? [] {
                #expect(named.isSuperset(of: try ResponseType(parsing: type).grantTypes.map(\.rawValue)), "\(type)")
            }
        }
    }

    @Test("Rotation: the next key signs, and what the old one signed stays good")
    func rotation() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let old = try await party.tokens(["audience": "appointments:api"])["access_token"]?.string ?? ""
            let published = try await server.get("/.well-known/jwks.json").json()["keys"]?.array?.count
            #expect(published == 2)
            _ = try await server.services.signingKeys.rotate(at: server.clock.now)
            try await server.services.configuration.refresh()
            let new = try await party.tokens(["audience": "appointments:api"])["access_token"]?.string ?? ""
            #expect(old.tokenHeader["kid"] == "key-current")
            #expect(new.tokenHeader["kid"] == "key-next")
            for token in [old, new] {
                let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
                #expect(answer.status == .ok)
            }
            let keys = try await server.get("/.well-known/jwks.json").json()["keys"]?.array ?? []
            #expect(keys.count == 3)
            #expect(keys.allSatisfy { $0.object?["kty"] == "RSA" && $0.object?["d"] == nil })
        }
    }

    @Test("Userinfo accepts no ID token, no foreign algorithm, no altered or expired token")
    func userInfoRefusals() async throws {
        try await TestServer.run { server in
            let tokens = try await RelyingParty.regularWebApp(server).tokens(["audience": "appointments:api"])
            let token = tokens["access_token"]?.string ?? ""
            let parts = token.split(separator: ".").map(String.init)
            let key = try await server.get("/.well-known/jwks.json").json()["keys"]?.array?.first?.object ?? [:]
            let none = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT","kid":"key-current"}"#.utf8))
            let hmacHeader = Base64URL.encode(Array(#"{"alg":"HS256","typ":"JWT","kid":"key-current"}"#.utf8))
            let hmac = HMAC<SHA256>.authenticationCode(
                for: Array("\(hmacHeader).\(parts[1])".utf8),
                using: SymmetricKey(data: Array((key["n"]?.string ?? "").utf8)))
            let hostile = [
                tokens["id_token"]?.string ?? "", "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])",
                "\(hmacHeader).\(parts[1]).\(Base64URL.encode(Array(hmac)))",
                "\(parts[0]).\(parts[1])x.\(parts[2])", "\(parts[0]).\(parts[1])", "x.y.z", "....", "unknown",
                "\(parts[0]).\(parts[1]).\(String(parts[2].reversed()))",
            ]
            for token in hostile {
                let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
                #expect(answer.status == .unauthorized)
                #expect(answer.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
            }
            server.clock.advance(by: 86_401)
            #expect(
                try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"]).status == .unauthorized)
        }
    }

    @Test("RFC 6750 §3: no token is a challenge without an error; no openid is insufficient_scope")
    func userInfoChallenges() async throws {
        try await TestServer.run { server in
            let bare = try await server.get("/userinfo")
            #expect(bare.status == .unauthorized)
            #expect(bare.headers[values: .wwwAuthenticate].first == #"Bearer realm="Users""#)
            let opaque = try await RelyingParty.regularWebApp(server).tokens(["scope": "email"])["access_token"]?.string
            let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(opaque ?? "")"])
            #expect(answer.status == .forbidden)
            #expect(answer.headers[.wwwAuthenticate]?.contains("insufficient_scope") == true)
            let posted = try await server.post(
                "/userinfo",
                form: [
                    (
                        "access_token",
                        try await RelyingParty.regularWebApp(server).tokens()["access_token"]?.string ?? ""
                    )
                ])
            #expect(try posted.json()["sub"] == .string(User.ada.id))
        }
    }

    @Test("RFC 6749 §4.4 and Auth0: client credentials")
    func clientCredentials() async throws {
        try await TestServer.run { server in
            let machine = RelyingParty.machine(server)
            let base: [String: String?] = ["grant_type": "client_credentials", "audience": "appointments:api"]
            let all = try await machine.token(base).json()
            #expect(all["scope"] == "appointments read:notes")
            let claims = all["access_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == "machine@clients")
            #expect(claims["gty"] == "client-credentials")
            #expect(claims["aud"] == "appointments:api")
            #expect(all["refresh_token"] == nil && all["id_token"] == nil)
            let some = try await machine.token(base.merging(["scope": "read:notes"]) { $1 }).json()
            #expect(some["scope"] == "read:notes")
            for (changes, error, description) in [
                (["scope": "contacts"], "invalid_scope", "Client has not been granted scopes: contacts"),
                (["audience": "nothing"], "invalid_target", "Service not enabled within domain: nothing"),
                (["audience": nil], "invalid_target", "Non-global clients are not allowed access to APIv1"),
            ] as [([String: String?], String, String)] {
                let answer = try await machine.token(base.merging(changes) { $1 })
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"]?.string == error)
                #expect(try answer.json()["error_description"]?.string == description)
            }
            let ungranted = try await RelyingParty.regularWebApp(server).token(base).json()
            #expect(ungranted["error_description"]?.string?.hasPrefix("Client is not authorized to access") == true)
        }
    }

    @Test("HS256: an API's own secret signs its tokens, a client's secret its ID tokens")
    func symmetric() async throws {
        var fixtures = Fixtures()
        fixtures.changeAPI { $0.signingAlgorithm = .hs256 }
        fixtures.resourceServers[0].signingSecret = "a signing secret of the API"
        fixtures.change("regular-web-app") { $0.idTokenAlgorithm = .hs256 }
        try await TestServer.run(fixtures) { server in
            let tokens = try await RelyingParty.regularWebApp(server)
                .tokens(["audience": "appointments:api", "scope": "openid appointments"])
            for (name, secret) in [
                ("access_token", "a signing secret of the API"), ("id_token", Client.regularWebAppSecret),
            ] {
                let token = tokens[name]?.string ?? ""
                let parts = token.split(separator: ".")
                #expect(token.tokenHeader == ["alg": "HS256", "typ": "JWT"])
                let isValid = HMAC<SHA256>.isValidAuthenticationCode(
                    Base64URL.decode(parts[2]) ?? [], authenticating: Array("\(parts[0]).\(parts[1])".utf8),
                    using: SymmetricKey(data: Array(secret.utf8)))
                #expect(isValid)
            }
        }
    }

    @Test("CORS: the applications' origins may read tokens, others not; discovery is anybody's")
    func crossOrigin() async throws {
        try await TestServer.run { server in
            for (origin, allowed) in [("https://app.example.com", true), ("https://evil.example", false)] {
                let preflight = try await server.client.execute(
                    uri: "/oauth/token", method: .options, headers: [.origin: origin])
                #expect((preflight.headers[.accessControlAllowOrigin] == origin) == allowed)
                let answer = try await server.post("/oauth/token", form: [], headers: [.origin: origin])
                #expect((answer.headers[.accessControlAllowOrigin] == origin) == allowed)
            }
            let discovery = try await server.get(
                "/.well-known/openid-configuration", headers: [.origin: "https://evil.example"])
            #expect(discovery.headers[.accessControlAllowOrigin] == "*")
        }
    }

    @Test("No answer repeats the Host header, and every answer has the security headers")
    func hostHeader() async throws {
        try await TestServer.run { server in
            let host = HTTPField.Name("X-Forwarded-Host").map { [$0: "evil.example"] as HTTPFields } ?? [:]
            for path in ["/.well-known/openid-configuration", "/authorize", "/nothing", "/userinfo"] {
                let answer = try await server.get(path, headers: host)
                #expect(!answer.text.contains("evil.example"))
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(answer.headers[.contentSecurityPolicy] != nil)
            }
        }
    }

    @Test("A database that is gone turns /readyz red and answers 503, not 500")
    func unavailable() async throws {
        try await TestServer.run { server in
            #expect(try await server.get("/readyz").status == .ok)
            #expect(try await server.get("/healthz").status == .ok)
            try server.services.stores.database.close()
            #expect(try await server.get("/readyz").status == .serviceUnavailable)
            #expect(try await server.get("/healthz").status == .ok)
        }
    }
}
