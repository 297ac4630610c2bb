import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Refresh tokens")
struct RefreshTokenTests {
    static let wanted: [String: String?] = [
        "audience": "appointments:api", "scope": "openid email appointments contacts offline_access",
    ]

    /// Fixtures whose web application rotates its refresh tokens.
    static func rotating(leeway: Int = 0) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { client in
            client.refreshToken.isRotating = true
            client.refreshToken.leeway = leeway
            client.refreshToken.absoluteLifetime = 2_592_000
            client.refreshToken.idleLifetime = 1_296_000
        }
        return fixtures
    }

    static func firstToken(_ party: RelyingParty) async throws -> String {
        try await party.tokens(wanted)["refresh_token"]?.string ?? ""
    }

    @Test("RFC 6749 §6: a refresh gives a new access token, and an ID token where openid was granted")
    func refresh() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.refresh(Self.firstToken(party)).json()
            #expect(tokens["access_token"]?.string?.claims["gty"] == "refresh_token")
            #expect(tokens["id_token"]?.string?.claims["email"] == "ada@example.com")
            #expect(tokens["refresh_token"] == nil)
        }
    }

    @Test("Auth0: no refresh token without offline_access, the API's leave, and the client's grant")
    func conditions() async throws {
        var withoutLeave = Fixtures()
        withoutLeave.changeAPI { $0.allowsOfflineAccess = false }
        var withoutGrant = Fixtures()
        withoutGrant.change("regular-web-app") { $0.grantTypes.remove(.refreshToken) }
        for fixtures in [withoutLeave, withoutGrant] {
            try await TestServer.run(fixtures) { server in
                let tokens = try await RelyingParty.regularWebApp(server).tokens(Self.wanted)
                #expect(tokens["refresh_token"] == nil)
                #expect(tokens["scope"]?.string?.contains("offline_access") == false)
            }
        }
        try await TestServer.run { server in
            let tokens = try await RelyingParty.regularWebApp(server)
                .tokens(["audience": "appointments:api", "scope": "openid appointments"])
            #expect(tokens["refresh_token"] == nil)
        }
    }

    @Test("RFC 6749 §6: scope may narrow, never widen, and the next refresh has all again")
    func narrowing() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let token = try await Self.firstToken(party)
            let narrow = try await party.refresh(token, ["scope": "appointments read:notes"]).json()
            #expect(narrow["scope"] == "appointments")
            #expect(narrow["id_token"] == nil)
            #expect(narrow["access_token"]?.string?.claims["scope"] == "appointments")
            let whole = try await party.refresh(token).json()
            #expect(whole["scope"]?.string?.contains("contacts") == true)
        }
    }

    @Test("RFC 6749 §6: an opaque access token too has the narrowed scope only")
    func narrowingOpaque() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let refresh = try await party.tokens(["scope": "openid email offline_access"])["refresh_token"]?.string
            let narrow = try await party.refresh(refresh ?? "", ["scope": "openid"]).json()["access_token"]?.string
            let profile = try await server.get("/userinfo", headers: [.authorization: "Bearer \(narrow ?? "")"])
            #expect(try profile.json() == ["sub": .string(User.ada.id)])
        }
    }

    @Test("A scope that cannot be read is refused before the token is replaced")
    func malformedScope() async throws {
        try await TestServer.run(Self.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let token = try await Self.firstToken(party)
            let refused = try await party.refresh(token, ["scope": "a\"b"])
            #expect(try refused.json()["error"] == "invalid_scope")
            let answer = try await party.refresh(token)
            #expect(answer.status == .ok)
        }
    }

    @Test("RFC 9700 §4.14.2: each exchange replaces the token; using a replaced one ends the family")
    func rotationAndReuse() async throws {
        try await TestServer.run(Self.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await Self.firstToken(party)
            let second = try await party.refresh(first).json()["refresh_token"]?.string ?? ""
            #expect(!second.isEmpty && second != first)
            let reuse = try await party.refresh(first)
            #expect(reuse.status == .badRequest)
            #expect(try reuse.json()["error_description"] == "Unknown or invalid refresh token.")
            #expect(try await party.refresh(second).json()["error"] == "invalid_grant")
        }
    }

    @Test("Within the leeway the replaced token gives the same successor again; the window does not slide")
    func leeway() async throws {
        try await TestServer.run(Self.rotating(leeway: 10)) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await Self.firstToken(party)
            let second = try await party.refresh(first).json()["refresh_token"]
            server.clock.advance(by: 6)
            #expect(try await party.refresh(first).json()["refresh_token"] == second)
            server.clock.advance(by: 6)
            #expect(try await party.refresh(first).json()["error"] == "invalid_grant")
            #expect(try await party.refresh(second?.string ?? "").json()["error"] == "invalid_grant")
        }
    }

    @Test("Within the leeway a token before the previous one still ends the family")
    func leewayCoversOnlyThePrevious() async throws {
        try await TestServer.run(Self.rotating(leeway: 60)) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await Self.firstToken(party)
            let second = try await party.refresh(first).json()["refresh_token"]?.string ?? ""
            let third = try await party.refresh(second).json()["refresh_token"]?.string ?? ""
            #expect(try await party.refresh(first).json()["error"] == "invalid_grant")
            #expect(try await party.refresh(third).json()["error"] == "invalid_grant")
        }
    }

    @Test("Twenty refreshes of one token at once make one successor")
    func race() async throws {
        try await TestServer.run(Self.rotating(leeway: 30)) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await Self.firstToken(party)
            let successors = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await party.refresh(first).json()["refresh_token"]?.string }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(successors.count == 1)
            #expect(try await party.refresh(successors.first.flatMap(\.self) ?? "").status == .ok)
        }
    }

    @Test("The family ends at its absolute end, and a token that rests too long before")
    func lifetimes() async throws {
        try await TestServer.run(Self.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let idle = try await Self.firstToken(party)
            server.clock.advance(by: 1_296_001)
            #expect(try await party.refresh(idle).json()["error"] == "invalid_grant")
            var token = try await Self.firstToken(party)
            for _ in 0..<2 {
                server.clock.advance(by: 1_200_000)
                token = try await party.refresh(token).json()["refresh_token"]?.string ?? ""
                #expect(!token.isEmpty)
            }
            server.clock.advance(by: 200_000)
            #expect(try await party.refresh(token).json()["error"] == "invalid_grant")
        }
    }

    @Test("A blocked user, another client, and a client that changed to rotation get nothing")
    func refusals() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let token = try await Self.firstToken(party)
            #expect(try await RelyingParty.thirdParty(server).refresh(token).json()["error"] == "invalid_grant")
            try await server.services.stores.database.write { try UserStore.setBlocked(true, User.ada.id, in: $0) }
            #expect(try await party.refresh(token).json()["error_description"] == "user is blocked")
            try await server.services.stores.database.write { transaction in
                try UserStore.setBlocked(false, User.ada.id, in: transaction)
                var client = Client.regularWebApp
                client.refreshToken.isRotating = true
                try ClientStore.save(
                    client, secretDigest: nil, sealedSecret: nil, at: server.clock.now, in: transaction)
            }
            try await server.services.configuration.refresh()
            #expect(try await party.refresh(token).json()["error"] == "invalid_grant")
        }
    }

    @Test("Auth0: a browser's script gets a refresh token only with PKCE")
    func browser() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.singlePageApp(server)
            let code = try await party.code(nil, ["scope": "openid offline_access"])
            let answer = try await party.token(
                ["grant_type": "authorization_code", "code": code, "redirect_uri": Client.callback],
                headers: [.origin: "https://app.example.com"])
            #expect(answer.status == .ok)
            #expect(try answer.json()["refresh_token"] == nil)
        }
    }

    @Test("RFC 7009: revoking a refresh token ends what its authorization issued; foreign tokens are left alone")
    func revocation() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["scope": "openid offline_access"])
            let refresh = tokens["refresh_token"]?.string ?? ""
            func revoke(_ token: String, by party: RelyingParty) async throws -> TestResponse {
                try await server.post(
                    "/oauth/revoke",
                    form: [("client_id", party.clientID), ("client_secret", party.secret ?? ""), ("token", token)])
            }
            #expect(try await revoke(refresh, by: .thirdParty(server)).status == .ok)
            #expect(try await revoke("unknown", by: party).status == .ok)
            #expect(try await party.refresh(refresh).status == .ok)
            #expect(try await revoke(refresh, by: party).status == .ok)
            #expect(try await party.refresh(refresh).json()["error"] == "invalid_grant")
            let profile = try await server.get(
                "/userinfo", headers: [.authorization: "Bearer \(tokens["access_token"]?.string ?? "")"])
            #expect(profile.status == .unauthorized)
        }
    }
}
