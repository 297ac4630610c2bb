import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: the tenant and its keys")
struct ManagementTenantTests {
    @Test("PATCH /tenants/settings: flags merge, null and an empty text clear, and the change counts at once")
    func settings() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            _ = try await management.patch(
                "tenants/settings",
                ["friendly_name": "Clinic", "flags": ["enable_dynamic_client_registration": true, "enable_sso": true]])
            let changed = try await management.patch(
                "tenants/settings",
                [
                    "friendly_name": "", "flags": ["enable_sso": nil], "session_lifetime": 24,
                    "idle_session_lifetime": 12,
                ])
            #expect(changed["friendly_name"] == nil && changed["session_lifetime"] == 24)
            #expect(changed["flags"] == ["enable_dynamic_client_registration": true])
            let registered = try await server.post(
                "/oidc/register", json: #"{"redirect_uris": ["https://new.example.com/callback"]}"#)
            #expect(registered.status == .created)
            let wrong = try await management.send(.patch, "tenants/settings", ["idle_session_lifetime": 1000])
            #expect(wrong.status == .badRequest)
            #expect(try await management.send(.patch, "tenants/settings", ["colour": "red"]).status == .badRequest)
        }
    }

    @Test("Another signing algorithm gets its keys; one in use cannot be taken away")
    func algorithms() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let more = try await management.send(
                .patch, "tenants/settings", ["signing_algorithms": ["RS256", "ES256"]])
            #expect(more.status == .ok)
            _ = try await management.patch("clients/regular-web-app", ["jwt_configuration": ["alg": "ES256"]])
            let tokens = try await RelyingParty.regularWebApp(server).tokens()
            #expect(tokens["id_token"]?.string?.tokenHeader["alg"] == "ES256")
            let less = try await management.send(.patch, "tenants/settings", ["signing_algorithms": ["RS256"]])
            #expect(less.status == .badRequest)
            #expect(try less.json()["message"]?.string?.contains("Regular Web App") == true)
        }
    }

    @Test("Keys: rotation promotes the next one, and only a previous one can be revoked, which takes it from the JWKS")
    func keys() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            func key(_ state: String) async throws -> JSONObject? {
                try await management.list("keys/signing").first { $0[state] == true }
            }
            let (current, next) = (try await key("current")?["kid"], try await key("next")?["kid"]?.string)
            let rotated = try await management.send(.post, "keys/signing/rotate")
            #expect(rotated.status == .created)
            #expect(try rotated.json()["kid"]?.string == next)
            #expect(try rotated.json()["cert"]?.string?.hasPrefix("-----BEGIN CERTIFICATE-----") == true)
            let previous = try #require(try await key("previous"))
            #expect(previous["kid"] == current)
            #expect(previous["thumbprint"]?.string?.wholeMatch(of: /[0-9A-F]{40}/) != nil)
            #expect(try await management.send(.put, "keys/signing/\(next ?? "")/revoke").status == .badRequest)
            // The token of this very request was signed with the key that goes.
            let fresh = try await ManagementClient(server)
            let kid = current?.string ?? ""
            #expect(try await fresh.send(.put, "keys/signing/\(kid)/revoke").status == .ok)
            let published = try await server.get("/.well-known/jwks.json").text
            #expect(!published.contains(kid) && published.contains(next ?? "-"))
            #expect(try await management.send(.get, "keys/signing").status == .unauthorized)
            #expect(try await fresh.send(.get, "keys/signing/\(kid)").status == .notFound)
        }
    }
}
