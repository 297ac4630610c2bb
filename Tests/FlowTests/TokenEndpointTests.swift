import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Token endpoint")
struct TokenEndpointTests {
    @Test("Auth0: a JSON body is as good as a form, and null and \"\" are absent")
    func json() async throws {
        try await TestServer.run { server in
            let code = try await RelyingParty.regularWebApp(server).code()
            let answer = try await server.post(
                "/oauth/token",
                json: """
                    {"grant_type": "authorization_code", "client_id": "regular-web-app", "organization": null, "scope": "",
                     "client_secret": "\(Client.regularWebAppSecret)", "code": "\(code)",
                     "redirect_uri": "\(Client.callback)"}
                    """)
            #expect(answer.status == .ok)
            #expect(try answer.json()["access_token"] != nil)
        }
    }

    @Test("RFC 6749 §2.3.1: the secret in the Authorization header, URL-encoded")
    func basic() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let credentials = "regular%2Dweb%2Dapp:\(Client.regularWebAppSecret)"
            let answer = try await server.token(
                ("grant_type", "authorization_code"), ("code", try await party.code()),
                ("redirect_uri", Client.callback),
                headers: [.authorization: "Basic \(Data(credentials.utf8).base64EncodedString())"])
            #expect(answer.status == .ok)
        }
    }

    @Test("RFC 6749 §5.2: a wrong secret and an unknown client get the same 401 invalid_client")
    func clientAuthenticationFails() async throws {
        try await TestServer.run(isDevelopment: false) { server in
            var answers: [JSONObject] = []
            for (id, secret) in [("regular-web-app", "wrong"), ("nobody", "wrong"), ("regular-web-app", nil)] {
                let form = [("grant_type", "client_credentials"), ("client_id", id), ("audience", "appointments:api")]
                let answer = try await server.post(
                    "/oauth/token", form: form + (secret.map { [("client_secret", $0)] } ?? []))
                #expect(answer.status == .unauthorized)
                answers.append(try answer.json())
            }
            #expect(Set(answers).count == 1)
            #expect(answers[0] == ["error": "invalid_client", "error_description": "Unauthorized"])
        }
    }

    @Test("RFC 6749 §2.3: two ways of authenticating at once are refused")
    func twoMethods() async throws {
        try await TestServer.run { server in
            let credentials = Data("regular-web-app:\(Client.regularWebAppSecret)".utf8).base64EncodedString()
            let answer = try await server.token(
                ("grant_type", "client_credentials"), ("client_secret", Client.regularWebAppSecret),
                headers: [.authorization: "Basic \(credentials)"])
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_request")
        }
    }

    @Test(
        "Malformed requests are 400 invalid_request, never a 500",
        arguments: [
            ("application/json", "{"), ("application/json", "[]"), ("application/json", #"{"grant_type": {"a": 1}}"#),
            ("text/plain", "grant_type=refresh_token"), ("application/x-www-form-urlencoded", "grant_type=%zz"),
            ("application/x-www-form-urlencoded", "grant_type=%00"), ("application/x-www-form-urlencoded", ""),
            ("application/x-www-form-urlencoded", "grant_type=a&grant_type=a"),
            ("application/x-www-form-urlencoded", "grant_type=%ff"),
        ])
    func malformed(type: String, body: String) async throws {
        try await TestServer.run { server in
            let answer = try await server.client.execute(
                uri: "/oauth/token", method: .post, headers: [.contentType: type], body: ByteBuffer(string: body))
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_request")
        }
    }

    @Test("A body larger than the limit is refused")
    func tooLarge() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/oauth/token", formText: "grant_type=" + String(repeating: "a", count: 100_000))
            #expect(answer.status == .badRequest)
        }
    }

    @Test("RFC 6749 §5.2: unknown grants, and grants that the client may not use")
    func grants() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let unknown = try await party.token(["grant_type": "magic"])
            #expect(try unknown.json()["error"] == "unsupported_grant_type")
            #expect(unknown.status == .badRequest)
            let third = try await RelyingParty.thirdParty(server).token(["grant_type": "client_credentials"])
            #expect(try third.json()["error"] == "unauthorized_client")
            #expect(
                try third.json()["error_description"] == "Grant type 'client_credentials' not allowed for the client.")
        }
    }

    @Test("RFC 6749 §4.1.2: a code is redeemed once; a replay takes back what the first redemption issued")
    func replay() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code(nil, ["scope": "openid email offline_access"])
            let tokens = try await party.redeem(code).json()
            let second = try await party.redeem(code)
            #expect(second.status == .badRequest)
            #expect(try second.json()["error"] == "invalid_grant")
            let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "")
            #expect(try refreshed.json()["error"] == "invalid_grant")
            let profile = try await server.get(
                "/userinfo", headers: [.authorization: "Bearer \(tokens["access_token"]?.string ?? "")"])
            #expect(profile.status == .unauthorized)
        }
    }

    @Test("Of fifty redemptions of one code at once, exactly one wins")
    func race() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code()
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 { group.addTask { try await party.redeem(code).status == .ok } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
        }
    }

    @Test("Another client's code is refused, and stays good for its own client")
    func otherClient() async throws {
        try await TestServer.run { server in
            let code = try await RelyingParty.regularWebApp(server).code()
            #expect(try await RelyingParty.thirdParty(server).redeem(code).json()["error"] == "invalid_grant")
            #expect(try await RelyingParty.regularWebApp(server).redeem(code).status == .ok)
        }
    }

    @Test("A code is worth nothing after five minutes")
    func expired() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code()
            server.clock.advance(by: 301)
            #expect(try await party.redeem(code).json()["error_description"] == "Invalid authorization code")
        }
    }

    @Test(
        "RFC 6749 §4.1.3: redirect_uri must be the authorization request's",
        arguments: [
            nil, "https://app.example.com/callback/", "https://evil.example.com/callback",
            "https://app.example.com/other?tenant=1",
        ])
    func redirectURI(_ sent: String?) async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let answer = try await party.redeem(party.code(), ["redirect_uri": sent])
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_grant")
        }
    }

    @Test("A user who was blocked after signing in redeems nothing")
    func blockedUser() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code()
            try await server.services.stores.database.write { try UserStore.setBlocked(true, User.ada.id, in: $0) }
            #expect(try await party.redeem(code).json()["error_description"] == "user is blocked")
        }
    }

    @Test("A verifier for a code that was asked for without a challenge is refused")
    func unexpectedVerifier() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let verifier = String(repeating: "a", count: 43)
            let answer = try await party.redeem(party.code(), ["code_verifier": verifier])
            #expect(answer.status == .badRequest)
        }
    }

    @Test("The auth0 dialect answers with Auth0's statuses")
    func auth0Dialect() async throws {
        var fixtures = Fixtures()
        fixtures.settings.wireDialect = .auth0
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let grant = try await party.redeem("nothing")
            #expect(grant.status == .forbidden)
            #expect(try grant.json()["error"] == "invalid_grant")
            let unknown = try await party.token(["grant_type": "x"])
            #expect(unknown.status == .notImplemented)
            let client = try await party.token(["grant_type": "client_credentials", "client_secret": "wrong"])
            #expect(client.status == .unauthorized)
            #expect(try client.json()["error"] == "access_denied")
            let audience = try await party.token(["grant_type": "client_credentials", "audience": "nothing"])
            #expect(audience.status == .forbidden)
            #expect(try audience.json()["error_description"] == "Service not enabled within domain: nothing")
            let token = try await party.tokens()["id_token"]?.string ?? ""
            #expect(token.claims["updated_at"]?.string?.hasSuffix(".000Z") == true)
        }
    }
}
