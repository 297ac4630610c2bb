import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: consents, sessions and refresh tokens")
struct ManagementSessionsTests {
    private static let ada = "users/\(User.ada.id.formEncoded)"

    @Test("Grants: what a user has allowed is listed, and taken back with the tokens")
    func grants() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let (party, browser) = (RelyingParty.thirdParty(server), TestBrowser(server))
            let consent = try await party.authorize(
                browser, ["scope": "openid offline_access appointments", "audience": "appointments:api"])
            let answer = try await browser.follow(browser.submit(consent, [("action", "accept")]))
            let tokens = try await party.redeem(answer.query("code") ?? "").json()
            let grants = try await management.list("grants?user_id=\(User.ada.id.formEncoded)")
            let grant = try #require(grants.first { $0["audience"] == "appointments:api" })
            #expect(grant["clientID"] == "third-party-app" && grant["user_id"]?.string == User.ada.id)
            #expect(grant["scope"]?.array?.contains("appointments") == true)
            #expect(try await management.list("grants?client_id=machine").isEmpty)
            #expect(try await management.get("grants?include_totals=true")["total"]?.integer == grants.count)
            #expect(try await management.send(.delete, "grants/\(grant["id"]?.string ?? "")").status == .noContent)
            #expect(try await party.refresh(tokens["refresh_token"]?.string ?? "").status != .ok)
            #expect(try await management.send(.delete, "grants").status == .badRequest)
            let all = try await management.send(.delete, "grants?user_id=\(User.ada.id.formEncoded)")
            #expect(all.status == .noContent)
            #expect(try await management.list("grants").isEmpty)
        }
    }

    @Test("A session is seen, and ended: the browser has to sign in again")
    func sessions() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let code = try await party.code(browser, ["scope": "openid offline_access"])
            let tokens = try await party.redeem(code).json()
            let sid = tokens["id_token"]?.string?.claims["sid"]?.string ?? ""
            let listed = try await management.get("\(Self.ada)/sessions")["sessions"]?.array ?? []
            #expect(listed.map { $0.object?["id"] } == [.string(sid)])
            #expect(try await management.get("sessions/\(sid)")["user_id"]?.string == User.ada.id)
            #expect(try await management.send(.delete, "sessions/\(sid)").status == .accepted)
            #expect(try await management.send(.get, "sessions/\(sid)").status == .notFound)
            #expect(
                try await browser.get(party.authorizationURL(["prompt": "none"])).query("error") == "login_required")
            // A deleted session leaves its refresh tokens; a revoked one takes them along.
            let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "")
            #expect(refreshed.status == .ok)
            let other = TestBrowser(server)
            let more = try await party.redeem(party.code(other, ["scope": "openid offline_access"])).json()
            let second = more["id_token"]?.string?.claims["sid"]?.string ?? ""
            #expect(try await management.send(.post, "sessions/\(second)/revoke").status == .accepted)
            #expect(try await party.refresh(more["refresh_token"]?.string ?? "").status != .ok)
            _ = try await party.code(TestBrowser(server))
            #expect(try await management.send(.delete, "\(Self.ada)/sessions").status == .accepted)
            #expect(try await management.get("\(Self.ada)/sessions")["sessions"] == [])
        }
    }

    @Test("Refresh tokens and device credentials: listed a page at a time, taken back one by one and all together")
    func refreshTokens() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let party = RelyingParty.regularWebApp(server)
            var tokens: [String] = []
            for _ in 1...3 {
                let answer = try await party.tokens(["scope": "openid offline_access"])
                tokens.append(answer["refresh_token"]?.string ?? "")
            }
            let first = try await management.get("\(Self.ada)/refresh-tokens?take=2")
            let next = first["next"]?.string ?? ""
            let rest = try await management.get("\(Self.ada)/refresh-tokens?take=2&from=\(next)")
            #expect(first["tokens"]?.array?.count == 2 && rest["tokens"]?.array?.count == 1 && rest["next"] == nil)
            let id = rest["tokens"]?.array?.first?.object?["id"]?.string ?? ""
            let seen = try await management.get("refresh-tokens/\(id)")
            #expect(seen["client_id"] == "regular-web-app" && seen["rotating"] == false)
            let devices = "device-credentials?user_id=\(User.ada.id.formEncoded)"
            #expect(try await management.list(devices).count == 3)
            #expect(try await management.list("\(devices)&type=rotating_refresh_token").isEmpty)
            #expect(try await management.send(.delete, "refresh-tokens/\(id)").status == .accepted)
            #expect(try await management.send(.get, "refresh-tokens/\(id)").status == .notFound)
            #expect(try await management.send(.delete, "device-credentials/\(next)").status == .noContent)
            #expect(try await management.list(devices).count == 1)
            #expect(try await management.send(.delete, "\(Self.ada)/refresh-tokens").status == .accepted)
            for token in tokens { #expect(try await party.refresh(token).status != .ok) }
        }
    }
}
