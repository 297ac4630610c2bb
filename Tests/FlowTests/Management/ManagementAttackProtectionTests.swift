import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: attack protection, blocks and statistics")
struct ManagementAttackProtectionTests {
    private static let bruteForce = "attack-protection/brute-force-protection"
    private static let suspiciousIP = "attack-protection/suspicious-ip-throttling"

    private static func forwarded(_ address: String) throws -> HTTPFields {
        [try #require(HTTPField.Name("X-Forwarded-For")): address]
    }

    /// Signs in with a password from an address; a wrong one where none is given.
    private static func logIn(
        _ server: TestServer, _ username: String = "ada@example.com", _ password: String = "wrong-password-1",
        from address: String
    ) async throws -> HTTPResponse.Status {
        try await PasswordGrantTests.logIn(
            RelyingParty.regularWebApp(server), ["username": username, "password": password],
            headers: forwarded(address)
        ).status
    }

    @Test("Auth0: the standard settings, and a PATCH that changes what it names; nonsense is refused")
    func settings() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(
                try await management.get(Self.bruteForce) == [
                    "enabled": true, "shields": ["block", "user_notification"], "allowlist": [],
                    "mode": "count_per_identifier_and_ip", "max_attempts": 10,
                ])
            let changed = try await management.patch(
                Self.bruteForce, ["max_attempts": 3, "allowlist": ["192.0.2.0/24"], "shields": ["block"]])
            #expect(changed["max_attempts"] == 3 && changed["enabled"] == true)
            #expect(try await management.get(Self.bruteForce) == changed)
            let throttling = try await management.get(Self.suspiciousIP)
            #expect(throttling["stage"]?.object?["pre-login"] == ["max_attempts": 100, "rate": 864_000])
            #expect(throttling["stage"]?.object?["pre-user-registration"] == ["max_attempts": 50, "rate": 1200])
            for wrong: JSONValue in [
                ["mode": "count"], ["max_attempts": 0], ["allowlist": ["here"]], ["shields": ["alarm"]], ["on": true],
            ] {
                #expect(try await management.send(.patch, Self.bruteForce, wrong).status == .badRequest)
            }
            let captcha = try await management.send(.get, "attack-protection/captcha")
            #expect(captcha.status == .notImplemented)
        }
    }

    @Test("Auth0: the login keeps to the settings: attempts, allowlist, mode, shields; and a block is seen and lifted")
    func bruteForceProtection() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures(), proxy: TestProxy()) { server in
            let management = try await ManagementClient(server)
            _ = try await management.patch(Self.bruteForce, ["max_attempts": 2, "allowlist": ["203.0.113.7"]])
            let right = User.adaPassword
            for _ in 1...2 { #expect(try await Self.logIn(server, from: "192.0.2.1") != .tooManyRequests) }
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.1") == .tooManyRequests)
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.2") == .ok)
            for _ in 1...4 { #expect(try await Self.logIn(server, from: "203.0.113.7") != .tooManyRequests) }

            let blocks = "user-blocks?identifier=ADA@example.com"
            let block: JSONValue = [
                ["identifier": "ada@example.com", "ip": "192.0.2.1", "connection": "Username-Password-Authentication"]
            ]
            #expect(try await management.get(blocks)["blocked_for"] == block)
            let ada = "user-blocks/\(User.ada.id.formEncoded)"
            #expect(try await management.get(ada)["blocked_for"] == block)
            #expect(try await management.send(.delete, ada).status == .noContent)
            #expect(try await management.get(ada)["blocked_for"] == [])
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.1") == .ok)
            #expect(try await management.send(.get, "user-blocks/auth0%7Cnobody").status == .notFound)

            // Counted per identifier, a block is everywhere.
            _ = try await management.patch(Self.bruteForce, ["mode": "count_per_identifier"])
            for number in 1...2 { _ = try await Self.logIn(server, from: "192.0.2.\(number)") }
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.3") == .tooManyRequests)
            let everywhere = try await management.get(ada)["blocked_for"]?.array?.first?.object
            #expect(everywhere?["identifier"] == "ada@example.com" && everywhere?["ip"] == nil)
            _ = try await management.patch(Self.bruteForce, ["shields": ["user_notification"]])
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.3") == .ok)
        }
    }

    @Test("Auth0: an address that fails too often waits, whoever it tries to be, until one comes back or it is let in")
    func throttling() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures(), proxy: TestProxy()) { server in
            let management = try await ManagementClient(server)
            _ = try await management.patch(
                Self.suspiciousIP, ["stage": ["pre-login": ["max_attempts": 3, "rate": 60_000]]])
            let (right, blocks) = (User.adaPassword, "anomaly/blocks/ips/192.0.2.1")
            #expect(try await management.send(.get, blocks).status == .notFound)
            for name in ["a", "b", "c"] {
                let status = try await Self.logIn(server, "\(name)@example.com", from: "192.0.2.1")
                #expect(status != .tooManyRequests)
            }
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.1") == .tooManyRequests)
            #expect(try await server.logTypes().contains("limit_mu"))
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.9") == .ok)
            #expect(try await management.send(.get, blocks).status == .ok)
            server.clock.advance(by: 61)
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.1") == .ok)
            _ = try await Self.logIn(server, "d@example.com", from: "192.0.2.1")
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.1") == .tooManyRequests)
            #expect(try await management.send(.delete, blocks).status == .noContent)
            #expect(try await Self.logIn(server, "ada@example.com", right, from: "192.0.2.1") == .ok)
            #expect(try await management.send(.get, "anomaly/blocks/ips/nowhere").status == .badRequest)
        }
    }

    @Test("Auth0: active users are a number, and each day has its logins and sign-ups")
    func statistics() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            let management = try await ManagementClient(server)
            #expect(try await management.send(.get, "stats/active-users").text == "0")
            _ = try await RelyingParty.regularWebApp(server).code(TestBrowser(server))
            _ = try await server.logEvents()
            #expect(try await management.send(.get, "stats/active-users").text == "1")
            let days = try await management.list("stats/daily")
            #expect(days.count == 1 && days[0]["logins"] == 1 && days[0]["signups"] == 0)
            #expect(try await management.list("stats/daily?from=20200101&to=20200131").isEmpty)
            for wrong in ["from=2020", "from=20201301", "from=20200102&to=20200101"] {
                #expect(try await management.send(.get, "stats/daily?\(wrong)").status == .badRequest)
            }
        }
    }

    @Test(
        "Auth0: sessions and refresh tokens carry what applications note, and are taken back in bulk or with all access"
    )
    func noted() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let party = RelyingParty.regularWebApp(server)
            let first = try await party.tokens(["scope": "openid offline_access"])
            let second = try await party.tokens(["scope": "openid offline_access"])
            let sid = first["id_token"]?.string?.claims["sid"]?.string ?? ""
            let noted = try await management.patch("sessions/\(sid)", ["session_metadata": ["device": "tablet"]])
            #expect(noted["session_metadata"] == ["device": "tablet"])
            #expect(try await management.get("sessions/\(sid)") == noted)
            let number: JSONValue = ["session_metadata": ["device": 7]]
            #expect(try await management.send(.patch, "sessions/\(sid)", number).status == .badRequest)

            let user = User.ada.id.formEncoded
            let tokens = try await management.get("refresh-tokens?user_id=\(user)&take=50")["refresh_tokens"]?.array
            let ids = (tokens ?? []).compactMap { $0.object?["id"]?.string }
            #expect(ids.count == 2)
            let marked = try await management.patch(
                "refresh-tokens/\(ids[0])", ["refresh_token_metadata": ["place": "desk"]])
            #expect(marked["refresh_token_metadata"] == ["place": "desk"])
            #expect(try await management.send(.post, "refresh-tokens/revoke", [:]).status == .badRequest)
            let both: JSONValue = ["client_id": "regular-web-app"]
            #expect(try await management.send(.post, "refresh-tokens/revoke", both).status == .badRequest)
            let one: JSONValue = ["ids": [.string(ids[0])]]
            #expect(try await management.send(.post, "refresh-tokens/revoke", one).status == .accepted)
            #expect(try await management.send(.get, "refresh-tokens/\(ids[0])").status == .notFound)
            let rest: JSONValue = ["user_id": .string(User.ada.id), "client_id": "regular-web-app"]
            #expect(try await management.send(.post, "refresh-tokens/revoke", rest).status == .accepted)
            for answer in [first, second] {
                #expect(try await party.refresh(answer["refresh_token"]?.string ?? "").status != .ok)
            }

            let third = try await party.tokens(["scope": "openid offline_access"])
            let keeping: JSONValue = ["preserve_refresh_tokens": true]
            #expect(try await management.send(.post, "users/\(user)/revoke-access", keeping).status == .noContent)
            #expect(try await management.get("users/\(user)/sessions")["sessions"] == [])
            #expect(try await party.refresh(third["refresh_token"]?.string ?? "").status == .ok)
            #expect(try await management.send(.post, "users/\(user)/revoke-access", [:]).status == .noContent)
            #expect(try await party.refresh(third["refresh_token"]?.string ?? "").status != .ok)
            let limited = try await ManagementClient(server, scope: ["delete:sessions"])
            #expect(try await limited.send(.post, "users/\(user)/revoke-access", [:]).status == .forbidden)
        }
    }
}
