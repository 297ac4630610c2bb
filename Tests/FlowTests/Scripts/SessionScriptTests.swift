import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Actions and the session or refresh token of a login")
struct SessionScriptTests {
    private static func session(_ server: TestServer) async throws -> Session? {
        try await server.services.stores.database.read { transaction in
            try SessionStore.list(
                of: "auth0|aaaaaaaaaaaaaaaaaaaaaaaa", at: server.clock.now, limit: 10, in: transaction
            ).first
        }
    }

    @Test("api.session keeps metadata and lets the session end earlier, never later")
    func session() async throws {
        try await ScriptedTenant.run { server in
            let end = server.clock.now.addingTimeInterval(600)
            try await server.bind(
                """
                api.session.setMetadata('device', 'phone').session.setMetadata('gone', 'x').session.deleteMetadata('gone');
                api.session.setExpiresAt(\(Int64(end.timeIntervalSince1970 * 1000)));
                api.session.setIdleExpiresAt(\(Int64(end.timeIntervalSince1970 * 1000) * 2));
                """)
            _ = try await RelyingParty.regularWebApp(server).tokens()
            let session = try #require(try await Self.session(server))
            #expect(session.metadata == ["device": "phone"])
            #expect(abs(session.expiresAt.timeIntervalSince(end)) < 1 && session.idleExpiresAt > end)
        }
    }

    @Test("api.session.revoke ends the session and the login")
    func revokedSession() async throws {
        try await ScriptedTenant.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.authorize(browser)
            #expect(try await Self.session(server) != nil)
            try await server.bind("api.session.revoke('Another device');")
            let refusal = server.refusal(try await browser.get(party.authorizationURL(["prompt": "none"])))
            #expect(refusal.error == "access_denied" && refusal.description == "Another device")
            #expect(try await Self.session(server) == nil)
        }
    }

    @Test("api.refreshToken keeps metadata, and revoke ends the token with the exchange; at a login there is none yet")
    func refreshToken() async throws {
        try await ScriptedTenant.run { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["scope": "openid offline_access", "audience": "appointments:api"])
            let refresh = try #require(tokens["refresh_token"]?.string)
            try await server.bind(
                """
                api.refreshToken.setMetadata('seen', event.refresh_token.client_id);
                if (event.request.body.scope === 'openid') api.refreshToken.revoke('Enough');
                """)
            #expect(try await party.refresh(refresh).status == .ok)
            let kept = try await server.services.stores.database.read { transaction in
                try RefreshTokenStore.list(of: "auth0|aaaaaaaaaaaaaaaaaaaaaaaa", limit: 10, in: transaction).first
            }
            #expect(kept?.metadata == ["seen": "regular-web-app"])
            let login = server.refusal(try await party.authorize(TestBrowser(server)))
            #expect(login.error == "access_denied" && login.description.contains("event.refresh_token"))
            let revoked = try await party.refresh(refresh, ["scope": "openid"])
            #expect(try revoked.json()["error_description"] == "Enough")
            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            #expect(try await party.refresh(refresh).json()["error"] == "invalid_grant")
        }
    }

    private static func refreshToken(_ server: TestServer) async throws -> IssuedRefreshToken? {
        try await server.services.stores.database.read { transaction in
            try RefreshTokenStore.list(of: "auth0|aaaaaaaaaaaaaaaaaaaaaaaa", limit: 10, in: transaction).first
        }
    }

    @Test(
        "At a login api.refreshToken is about the token that it makes: metadata and an earlier end, never a later one")
    func firstRefreshToken() async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            let party = RelyingParty.regularWebApp(server)
            let scope = ["scope": "openid offline_access"] as [String: String?]
            let end = server.clock.now.addingTimeInterval(600)
            let milliseconds = Int64(end.timeIntervalSince1970 * 1000)
            try await server.bind([
                (
                    name: "First",
                    code: """
                    exports.onExecutePostLogin = async (event, api) => {
                      if (event.refresh_token) return;
                      api.refreshToken.setMetadata('lost', 'x').refreshToken.evictMetadata();
                      api.refreshToken.setMetadata('device', 'phone').refreshToken.setMetadata('gone', 'x');
                      api.refreshToken.setExpiresAt(\(milliseconds)).refreshToken.setExpiresAt(\(milliseconds + 60000));
                    };
                    """
                ),
                (
                    name: "Second",
                    code: """
                    exports.onExecutePostLogin = async (event, api) => {
                      api.refreshToken.deleteMetadata('gone');
                      if (event.refresh_token) api.idToken.setCustomClaim('device', event.refresh_token.metadata.device);
                    };
                    """
                ),
            ])
            for isByCode in [true, false] {
                server.clock.advance(by: 1)
                let tokens =
                    isByCode ? try await party.tokens(scope) : try await PasswordGrantTests.logIn(party, scope).json()
                let kept = try #require(try await Self.refreshToken(server))
                #expect(kept.metadata == ["device": "phone"])
                let expiresAt = try #require(kept.family.expiresAt)
                #expect(abs(expiresAt.timeIntervalSince(end)) < 1)
                let refreshed = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
                #expect(refreshed["id_token"]?.string?.claims["device"] == "phone")
                try await server.services.stores.database.write {
                    try RefreshTokenStore.revoke(
                        authorizationID: kept.family.authorizationID, at: server.clock.now, in: $0)
                }
            }
            let tokens = try await party.tokens(scope)
            server.clock.advance(by: 601)
            let refused = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
            #expect(refused["error"] == "invalid_grant")
        }
    }

    @Test(
        "What an action wants of the refresh token outlasts the way to another page and back, and a login without one")
    func refreshTokenAfterRedirect() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind([
                (
                    name: "Away",
                    code: """
                    exports.onExecutePostLogin = async (event, api) => {
                      api.refreshToken.setMetadata('before', 'yes');
                      api.redirect.sendUserTo('https://terms.example.com/');
                    };
                    exports.onContinuePostLogin = async (event, api) => {
                      api.refreshToken.setMetadata('after', 'yes');
                    };
                    """
                )
            ])
            let party = RelyingParty.regularWebApp(server)
            for scope in ["openid offline_access", "openid"] {
                let browser = TestBrowser(server)
                let departure = try await party.authorize(browser, ["scope": scope])
                let state = try #require(departure.query("state"))
                let arrival = try await browser.follow(browser.get("/continue?state=\(state)"))
                let tokens = try await party.redeem(try #require(arrival.query("code"))).json()
                #expect((tokens["refresh_token"] != nil) == (scope != "openid"))
            }
            #expect(try await Self.refreshToken(server)?.metadata == ["before": "yes", "after": "yes"])
        }
    }

    @Test("api.refreshToken.revoke at a login denies it, though there is no token yet")
    func revokedBeforehand() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind("api.refreshToken.revoke('Not you');")
            let refusal = server.refusal(try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server)))
            #expect(refusal.error == "access_denied" && refusal.description == "Not you")
        }
    }
}
