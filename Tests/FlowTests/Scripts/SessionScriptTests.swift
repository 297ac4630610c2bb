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
}
