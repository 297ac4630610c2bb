import OAuth
import Storage
import Testing

@Suite("Logout settings of clients and tenant")
struct LogoutSettingsTests {
    private static func client(_ members: JSONObject) throws -> Client {
        let standard: JSONObject = [
            "name": "App", "callbacks": ["https://app.example.com/cb", "http://localhost:3000/cb"],
        ]
        return try Client(
            document: Document(standard.merging(members) { $1 }, path: "client"), standardID: "app")
    }

    private static func problem(_ members: JSONObject) -> String? {
        do {
            _ = try client(members)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("Auth0's and OpenID Connect's fields are read, and come back as they were")
    func roundTrip() throws {
        let members: JSONObject = [
            "oidc_logout": [
                "backchannel_logout_urls": ["https://app.example.com/a", "http://localhost:3000/b"],
                "backchannel_logout_initiators": [
                    "mode": "custom", "selected_initiators": ["password-changed", "rp-logout"],
                ],
                "backchannel_logout_session_metadata": ["include": true],
            ],
            "backchannel_logout_uri": "https://app.example.com/c",
            "backchannel_logout_session_required": true,
            "frontchannel_logout_uri": "https://app.example.com/d?x=1",
            "frontchannel_logout_session_required": true,
        ]
        let client = try Self.client(members)
        #expect(client.logout.initiators == .selected([.passwordChanged, .rpLogout]))
        #expect(
            client.logout.backchannel(after: .rpLogout) == [
                "https://app.example.com/c", "https://app.example.com/a", "http://localhost:3000/b",
            ])
        #expect(client.logout.backchannel(after: .sessionExpired).isEmpty)
        #expect(client.logout.isTold)
        for (name, value) in members { #expect(client.document[name] == value, "\(name)") }
        let again = try Client(document: Document(client.document, path: "client"), standardID: "app")
        #expect(again == client)
    }

    @Test("Auth0's older field is taken over; mode all hears everything; without either, logouts alone")
    func variants() throws {
        let old = try Self.client([
            "oidc_backchannel_logout": ["backchannel_logout_urls": ["https://app.example.com/a"]]
        ])
        #expect(old.logout.backchannelURLs == ["https://app.example.com/a"])
        #expect(old.document["oidc_logout"] == ["backchannel_logout_urls": ["https://app.example.com/a"]])
        #expect(old.logout.backchannel(after: .rpLogout).count == 1)
        #expect(old.logout.backchannel(after: .sessionExpired).isEmpty)
        let all = try Self.client([
            "backchannel_logout_uri": "https://app.example.com/a",
            "oidc_logout": ["backchannel_logout_initiators": ["mode": "all"]],
        ])
        for initiator in ClientLogoutSettings.Initiator.allCases {
            #expect(all.logout.backchannel(after: initiator) == ["https://app.example.com/a"])
        }
        let none = try Self.client([:])
        #expect(!none.logout.isTold)
        #expect(none.document.keys.allSatisfy { !$0.contains("logout") })
    }

    @Test(
        "An address must be https or this machine's, whole, and have a host that a policy can hold",
        arguments: [
            "http://app.example.com/a", "https://app.example.com/a#b", "/a", "javascript:alert(1)", "app://a",
            "https://*.example.com/a", "https://user@app.example.com/a", "https://app.example.com;script-src/a",
            "https:a",
        ])
    func addresses(address: String) {
        let value = JSONValue.string(address)
        let places: [(String, JSONObject)] = [
            ("client.backchannel_logout_uri", ["backchannel_logout_uri": value]),
            ("client.frontchannel_logout_uri", ["frontchannel_logout_uri": value]),
            (
                "client.oidc_logout.backchannel_logout_urls[0]",
                ["oidc_logout": ["backchannel_logout_urls": [value]]]
            ),
        ]
        for (path, members) in places {
            #expect(Self.problem(members)?.hasPrefix(path + ": ") == true, "\(path): \(address)")
        }
    }

    @Test("Front-Channel Logout §2: the frame's origin is one of the callbacks'")
    func frontchannelOrigin() throws {
        #expect(Self.problem(["frontchannel_logout_uri": "http://localhost:3000/out"]) == nil)
        for other in ["https://other.example.com/out", "https://app.example.com:8443/out", "http://localhost:3001/out"]
        {
            #expect(Self.problem(["frontchannel_logout_uri": .string(other)])?.contains("callbacks") == true)
        }
        let wildcard: JSONObject = [
            "callbacks": ["https://*.example.com/cb"], "frontchannel_logout_uri": "https://a.example.com/out",
        ]
        #expect(Self.problem(wildcard) == nil)
    }

    @Test("What is misspelt is named with its path")
    func misspelt() {
        #expect(
            Self.problem(["oidc_logout": ["backchannel_logout_url": ["https://a.example.com/"]]])?
                .hasPrefix("client.oidc_logout.backchannel_logout_url: ") == true)
        let initiators: JSONObject = [
            "oidc_logout": ["backchannel_logout_initiators": ["mode": "custom", "selected_initiators": ["logout"]]]
        ]
        #expect(Self.problem(initiators)?.contains("selected_initiators[0]: 'logout' is none of rp-logout") == true)
        #expect(
            Self.problem(["oidc_logout": ["backchannel_logout_initiators": ["mode": "some"]]])?.contains("mode") == true
        )
    }

    @Test("The tenant's settings are read, and written where they are not every tenant's")
    func tenant() throws {
        #expect(TenantSettings().document["oidc_logout"] == nil && TenantSettings().document["sessions"] == nil)
        let members: JSONObject = [
            "oidc_logout": ["rp_logout_end_session_endpoint_discovery": false],
            "sessions": ["oidc_logout_prompt_enabled": false],
        ]
        let settings = try TenantSettings(document: Document(members, path: "tenant"))
        #expect(!settings.logout.isEndSessionEndpointPublished && !settings.logout.asksBeforeLogout)
        for (name, value) in members { #expect(settings.document[name] == value) }
        let standard = try TenantSettings(
            document: Document(["oidc_logout": ["rp_logout_end_session_endpoint_discovery": true]], path: "tenant"))
        #expect(standard.logout == TenantLogoutSettings())
    }
}
