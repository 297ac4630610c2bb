import HTTPTypes
import HummingbirdTesting
import OAuth
import TestSupport
import Testing

/// The plan `oidcc-3rdparty-init-login-certification-test-plan`.
@Suite("Conformance: 3rd Party-Init OP")
struct ThirdPartyLoginPlanTests {
    @Test("oidcc-3rd_party-init-login (OIDC Core §4, OIDC Registration §2, §4.3)")
    func registered() async throws {
        try await TestServer.run(.openRegistration) { server in
            let address: JSONValue = "https://app.example.com/initiate"
            let client = try await DynamicClient(server, ["initiate_login_uri": address])
            #expect(client.registration["initiate_login_uri"] == address)
            let read = try await client.manage(.get)
            #expect(read.status == .ok)
            #expect(read.headers[.contentType]?.hasPrefix("application/json") == true)
            #expect(try read.json()["initiate_login_uri"] == address)
            #expect(try read.json()["client_id"]?.string == client.clientID)
        }
    }

    @Test("oidcc-3rd_party-init-login-nohttps (OIDC Core §4, OIDC Registration §3.3)")
    func withoutHTTPS() async throws {
        try await TestServer.run(.openRegistration) { server in
            let refused = try await DynamicClient.send(
                DynamicClient.metadata(["initiate_login_uri": "http://app.example.com/initiate"]), to: server)
            #expect(refused.status == .badRequest)
            #expect(refused.headers[.contentType]?.hasPrefix("application/json") == true)
            #expect(try refused.json()["error"] == "invalid_client_metadata")
        }
    }
}
