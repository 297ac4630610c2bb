import HTTPTypes
import HummingbirdTesting
import OAuth
import TestSupport
import Testing

/// What the plans for logout read in the metadata; RPInitiatedLogoutTests, BackchannelLogoutTests and
/// FrontchannelLogoutTests have the rest.
@Suite("Conformance: what the metadata says of logout")
struct LogoutPlanTests {
    private static func metadata(_ server: TestServer) async throws -> JSONObject {
        try await server.get("/.well-known/openid-configuration").json()
    }

    @Test("oidcc-rp-initiated-logout-discovery-endpoint-verification (RP-Initiated Logout §2.1)")
    func initiated() async throws {
        try await TestServer.run { server in
            let address = try await Self.metadata(server)["end_session_endpoint"]?.string ?? ""
            #expect(address.hasPrefix(TestServer.issuer))
            let path = "/" + address.dropFirst(TestServer.issuer.count)
            #expect(try await server.get(path).status == .ok)
        }
    }

    @Test("oidcc-backchannel-logout-discovery-endpoint-verification (Back-Channel Logout §2.1)")
    func backChannel() async throws {
        try await TestServer.run { server in
            let metadata = try await Self.metadata(server)
            #expect(metadata["backchannel_logout_supported"] == true)
            #expect(metadata["backchannel_logout_session_supported"] == true)
        }
    }

    @Test("oidcc-frontchannel-logout-discovery-endpoint-verification (Front-Channel Logout §3)")
    func frontChannel() async throws {
        try await TestServer.run { server in
            let metadata = try await Self.metadata(server)
            #expect(metadata["frontchannel_logout_supported"] == true)
            #expect(metadata["frontchannel_logout_session_supported"] == true)
        }
    }
}
