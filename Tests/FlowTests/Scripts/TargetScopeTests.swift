import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Actions that change the target scopes of a transaction")
struct TargetScopeTests {
    private static func credentials(
        _ server: TestServer, _ changes: [String: String?] = [:]
    ) async throws -> JSONObject {
        try await RelyingParty.machine(server).token(
            ["grant_type": "client_credentials", "audience": "appointments:api"].merging(changes) { $1 }
        ).json()
    }

    @Test(
        "credentials-exchange: what is added or set is granted as far as the client grant goes, what is removed is not")
    func credentialsExchange() async throws {
        var fixtures = Fixtures()
        fixtures.clientGrants = [
            ClientGrant(
                id: "cgr_machine", clientID: "machine", audience: "appointments:api",
                scope: Scope(["appointments", "contacts"]))
        ]
        for (calls, granted) in [
            ("api.transaction.removeTargetScope('contacts');", "appointments"),
            ("api.transaction.setTargetScopes(['contacts', 'admin']);", "contacts"),
            ("api.transaction.clearTargetScopes().transaction.addTargetScope('contacts');", "contacts"),
            (
                "api.transaction.removeTargetScope('contacts').transaction.addTargetScope('contacts');",
                "appointments contacts"
            ),
        ] {
            try await ScriptedTenant.run(fixtures) { server in
                try await server.bind(calls, to: .credentialsExchange)
                let tokens = try await Self.credentials(server)
                #expect(tokens["scope"] == .string(granted), "\(calls)")
                #expect(tokens["access_token"]?.string?.claims["scope"] == .string(granted))
            }
        }
    }

    @Test(
        "event.transaction.target_scopes is what was asked for, then what the methods made of it; requested_scopes stays"
    )
    func event() async throws {
        var fixtures = Fixtures()
        fixtures.clientGrants = [
            ClientGrant(
                id: "cgr_machine", clientID: "machine", audience: "appointments:api",
                scope: Scope(["appointments", "contacts"]))
        ]
        try await ScriptedTenant.run(fixtures) { server in
            try await server.bind(
                [
                    (
                        name: "One",
                        code: """
                        exports.onExecuteCredentialsExchange = async (event, api) => {
                          const before = event.transaction.target_scopes;
                          api.transaction.addTargetScope('contacts');
                          api.accessToken.setCustomClaim('https://x/one', [before, event.transaction.target_scopes]);
                        };
                        """
                    ),
                    (
                        name: "Two",
                        code: """
                        exports.onExecuteCredentialsExchange = async (event, api) => {
                          api.accessToken.setCustomClaim('https://x/two',
                            [event.transaction.target_scopes, event.transaction.requested_scopes]);
                        };
                        """
                    ),
                ], to: .credentialsExchange)
            let tokens = try await Self.credentials(server, ["scope": "appointments"])
            let claims = try #require(tokens["access_token"]?.string).claims
            #expect(claims["https://x/one"] == [["appointments"], ["appointments", "contacts"]])
            #expect(claims["https://x/two"] == [["appointments", "contacts"], ["appointments"]])
            #expect(tokens["scope"] == "appointments contacts")
        }
    }

    @Test("A target that is no scope fails the exchange")
    func malformed() async throws {
        for call in ["setTargetScopes('contacts')", "addTargetScope('two words')", "addTargetScope(7)"] {
            try await ScriptedTenant.run { server in
                try await server.bind("api.transaction.\(call);", to: .credentialsExchange)
                #expect(try await Self.credentials(server)["error"] == "access_denied", "\(call)")
            }
        }
    }

    @Test(
        "post-login: the API defines what may be added, whoever needs consent is asked for it, and a refresh adds nothing"
    )
    func login() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                "api.transaction.addTargetScope('contacts').transaction.addTargetScope('admin');"
                    + "api.transaction.removeTargetScope('profile');")
            let parameters =
                [
                    "audience": "appointments:api", "scope": "openid profile appointments offline_access",
                ] as [String: String?]
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(parameters)
            #expect(tokens["scope"] == "openid appointments offline_access contacts")
            let (third, browser) = (RelyingParty.thirdParty(server), TestBrowser(server))
            let asked = try await third.authorize(browser, parameters)
            let page = try await browser.get(asked.location ?? "")
            #expect(page.text.contains("See your contacts") && !page.text.contains("See your profile"))
            let accepted = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            let given = try await third.redeem(try #require(accepted.query("code"))).json()
            #expect(given["scope"] == "openid appointments offline_access contacts")

            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            let narrow = try await party.tokens(
                parameters.merging(["scope": "openid appointments offline_access"]) { $1 })
            try await server.bind(
                [
                    (
                        name: "Later",
                        code: "exports.onExecutePostLogin = async (event, api) => { "
                            + "api.transaction.addTargetScope('contacts').transaction.removeTargetScope('appointments'); };"
                    )
                ])
            let refreshed = try await party.refresh(try #require(narrow["refresh_token"]?.string)).json()
            #expect(refreshed["scope"] == "openid offline_access")
        }
    }
}
