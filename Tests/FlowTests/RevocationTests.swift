import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Revocation")
struct RevocationTests {
    @Test("RFC 7009 §2.1: revoking one refresh token ends its family and the opaque tokens of its authorization")
    func family() async throws {
        try await TestServer.run(RefreshTokenTests.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await party.tokens(["scope": "openid offline_access"])
            let second = try await party.refresh(first["refresh_token"]?.string ?? "").json()
            for (tokens, status) in [(first, HTTPResponse.Status.ok), (second, .ok)] {
                let access = tokens["access_token"]?.string ?? ""
                let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(access)"])
                #expect(answer.status == status)
            }
            // The replaced token names the family as well as the newest one does.
            #expect(try await party.revoke(first["refresh_token"]?.string ?? "").status == .ok)
            #expect(try await party.refresh(second["refresh_token"]?.string ?? "").json()["error"] == "invalid_grant")
            for tokens in [first, second] {
                let access = tokens["access_token"]?.string ?? ""
                let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(access)"])
                #expect(answer.status == .unauthorized)
            }
        }
    }

    @Test("RFC 7009 §2.1: a hint that is wrong or unknown does not keep a token from being found")
    func hints() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            for hint in ["access_token", "refresh_token", "nonsense"] {
                let refresh = try await RefreshTokenTests.firstToken(party)
                #expect(try await party.revoke(refresh, hint: hint).status == .ok)
                #expect(try await party.refresh(refresh).json()["error"] == "invalid_grant")
                let opaque = try await party.tokens(["scope": "openid"])["access_token"]?.string ?? ""
                #expect(try await party.revoke(opaque, hint: hint).status == .ok)
                #expect(try await party.introspect(opaque) == ["active": false])
            }
        }
    }

    @Test("RFC 7009 §2.1: a public client revokes its own tokens by naming itself")
    func publicClient() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.singlePageApp(server)
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            let code = try await party.code(
                nil,
                [
                    "scope": "openid offline_access", "code_challenge_method": "S256",
                    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                ])
            let refresh = try await party.redeem(code, ["code_verifier": verifier]).json()["refresh_token"]?.string
            #expect(refresh != nil)
            #expect(try await party.revoke(refresh ?? "").status == .ok)
            #expect(try await party.refresh(refresh ?? "").json()["error"] == "invalid_grant")
        }
    }

    @Test("RFC 7009 §2.1: another client's token stays; so it does for wrong credentials")
    func strangers() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let refresh = try await RefreshTokenTests.firstToken(party)
            let opaque = try await party.tokens(["scope": "openid"])["access_token"]?.string ?? ""
            for token in [refresh, opaque] {
                #expect(try await RelyingParty.thirdParty(server).revoke(token).status == .ok)
                #expect(try await RelyingParty.singlePageApp(server).revoke(token).status == .ok)
                let wrong = try await party.post("/oauth/revoke", ["token": token, "client_secret": "wrong"])
                #expect(wrong.status == .unauthorized)
                #expect(try await party.introspect(token)["active"] == true)
            }
        }
    }

    @Test("RFC 7009 §2.2.1: a signed access token is of an unsupported type; Auth0 says nothing of that")
    func signedTokens() async throws {
        for dialect in WireDialect.allCases {
            var fixtures = Fixtures()
            fixtures.settings.wireDialect = dialect
            try await TestServer.run(fixtures) { server in
                let party = RelyingParty.regularWebApp(server)
                let token = try await party.tokens(["audience": "appointments:api"])["access_token"]?.string ?? ""
                let answer = try await party.revoke(token, hint: "access_token")
                if dialect == .auth0 {
                    #expect(answer.status == .ok)
                } else {
                    #expect(answer.status == .badRequest)
                    #expect(try answer.json()["error"] == "unsupported_token_type")
                }
                // Not this client's: nothing is told of it.
                #expect(try await RelyingParty.thirdParty(server).revoke(token).status == .ok)
                server.clock.advance(by: 86_401)
                #expect(try await party.revoke(token).status == .ok)
            }
        }
    }

    @Test("RFC 7009 §2.1, §2.2.1: no token is invalid_request, no client invalid_client; JSON will do for a form")
    func requests() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let empty = try await party.post("/oauth/revoke", [:])
            #expect(empty.status == .badRequest)
            #expect(try empty.json()["error"] == "invalid_request")
            let nobody = try await server.post("/oauth/revoke", form: [("token", "x")])
            #expect(nobody.status == .unauthorized)
            #expect(try await server.get("/oauth/revoke?token=x").status != .ok)
            let refresh = try await RefreshTokenTests.firstToken(party)
            let json = try await server.post(
                "/oauth/revoke",
                json: """
                    {"client_id": "regular-web-app", "client_secret": "\(Client.regularWebAppSecret)",
                     "token": "\(refresh)", "token_type_hint": null}
                    """)
            #expect(json.status == .ok && json.text.isEmpty)
            #expect(try await party.refresh(refresh).json()["error"] == "invalid_grant")
        }
    }
}
