import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Signing in to an organization")
struct OrganizationLoginTests {
    private static let acme = OrganizationTenant.acme

    private static let wanted: [String: String?] = [
        "organization": acme, "audience": "appointments:api", "scope": "openid email appointments offline_access",
    ]

    private static func tokens(
        _ party: RelyingParty, _ browser: TestBrowser, _ changes: [String: String?] = wanted
    ) async throws -> JSONObject {
        try await party.redeem(party.code(browser, changes)).json()
    }

    @Test("ORG-2: both tokens name the organization, after a login, a single sign-on and a refresh")
    func tokens() async throws {
        try await OrganizationTenant.run { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            for _ in 0..<2 {
                let tokens = try await Self.tokens(party, browser)
                let again = try await party.refresh(tokens["refresh_token"]?.string ?? "").json()
                for answer in [tokens, again] {
                    #expect(answer["id_token"]?.string?.claims["org_id"] == .string(Self.acme))
                    #expect(answer["access_token"]?.string?.claims["org_id"] == .string(Self.acme))
                    #expect(answer["id_token"]?.string?.claims["org_name"] == nil)
                }
            }
            let own = try await Self.tokens(party, browser, ["scope": "openid"])
            #expect(own["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
            #expect(own["id_token"]?.string?.claims["org_id"] == nil)
        }
    }

    @Test("ORG-2: tokens of the front channel name it too")
    func frontChannel() async throws {
        let fixtures = OrganizationTenant.fixtures(.allow) {
            $0.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
        }
        try await OrganizationTenant.run(fixtures) { server in
            let fragment = try await RelyingParty.regularWebApp(server).authorize(
                TestBrowser(server), ["organization": Self.acme, "response_type": "id_token", "nonce": "n"])
            let location = fragment.location ?? ""
            let token = location.firstMatch(of: /id_token=([^&]*)/).map { String($0.1) } ?? ""
            #expect(token.claims["org_id"] == .string(Self.acme))
        }
    }

    @Test("ORG-1, ORG-2: a name stands for the organization where the tenant says so, and tokens have it then")
    func names() async throws {
        let named = OrganizationTenant.fixtures(.allow) { fixtures in
            fixtures.settings.other["allow_organization_name_in_authentication_api"] = true
        }
        try await OrganizationTenant.run(named) { server in
            let party = RelyingParty.regularWebApp(server)
            for value in ["Acme", Self.acme] {
                let changes = Self.wanted.merging(["organization": value]) { $1 }
                let tokens = try await Self.tokens(party, TestBrowser(server), changes)
                #expect(tokens["id_token"]?.string?.claims["org_id"] == .string(Self.acme))
                #expect(tokens["id_token"]?.string?.claims["org_name"] == "acme")
                #expect(tokens["access_token"]?.string?.claims["org_name"] == "acme")
            }
        }
    }

    private static let refusals: [(usage: OrganizationUsage, value: String?, message: String)] = [
        (.deny, acme, "parameter organization is not allowed for this client"),
        (.require, nil, "parameter organization is required for this client"),
        (.allow, "org_unknown", "parameter organization is invalid: org_unknown"),
        (.allow, "acme", "authorization request parameter organization must be an organization id"),
    ]

    @Test(
        "§9.3: what the application's organization_usage does not allow for goes back as invalid_request",
        arguments: refusals)
    func matrix(usage: OrganizationUsage, value: String?, message: String) async throws {
        try await OrganizationTenant.run(OrganizationTenant.fixtures(usage)) { server in
            let answer = try await TestBrowser(server).get(
                RelyingParty.regularWebApp(server).authorizationURL(["organization": value]))
            #expect(answer.query("error") == "invalid_request")
            #expect(answer.query("error_description") == message)
        }
    }

    @Test("ORG-6, ORG-11: who is no member is refused, after a login and silently")
    func strangers() async throws {
        try await OrganizationTenant.run(members: []) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let message = "user \(User.ada.id) is not part of the \(Self.acme) organization"
            for changes in [[:], ["prompt": "none"]] as [[String: String?]] {
                let answer = try await party.authorize(browser, changes.merging(["organization": Self.acme]) { $1 })
                #expect(answer.query("error") == "access_denied")
                #expect(answer.query("error_description") == message)
            }
            let own = try await party.authorize(browser)
            #expect(own.query("code") != nil)
        }
    }

    @Test("ORG-6: a connection may make members of all who come from it")
    func assignment() async throws {
        try await OrganizationTenant.run(connection: ["assign_membership_on_login": true], members: []) { server in
            let tokens = try await Self.tokens(RelyingParty.regularWebApp(server), TestBrowser(server))
            #expect(tokens["id_token"]?.string?.claims["org_id"] == .string(Self.acme))
            #expect(try await OrganizationTenant.isMember(User.ada.id, at: server))
        }
    }

    @Test("ORG-10: a code and a refresh token are worth nothing once the membership has ended")
    func ended() async throws {
        try await OrganizationTenant.run { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let refreshToken = try await Self.tokens(party, browser)["refresh_token"]?.string ?? ""
            let code = try await party.code(browser, Self.wanted)
            try await server.services.stores.database.write {
                try OrganizationStore.removeMember(User.ada.id, from: Self.acme, in: $0)
            }
            for answer in [try await party.refresh(refreshToken), try await party.redeem(code)] {
                #expect(try answer.json()["error"] == "invalid_grant")
            }
        }
    }

    @Test("A code and a refresh token follow the application's organization_usage, as it is when they are used")
    func usageChanges() async throws {
        for (usage, changes) in [
            (OrganizationUsage.deny, Self.wanted), (.require, Self.wanted.filter { $0.key != "organization" }),
        ] {
            try await OrganizationTenant.run { server in
                let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
                let refreshToken = try await Self.tokens(party, browser, changes)["refresh_token"]?.string ?? ""
                #expect(!refreshToken.isEmpty)
                let code = try await party.code(browser, changes)
                _ = try await ManagementClient(server).send(
                    .patch, "clients/regular-web-app", ["organization_usage": .string(usage.rawValue)])
                for answer in [try await party.refresh(refreshToken), try await party.redeem(code)] {
                    #expect(try answer.json()["error"] == "invalid_grant")
                }
            }
        }
    }

    @Test("ORG-9: in an organization the member's roles there count, and no others")
    func roles() async throws {
        let enforcing = OrganizationTenant.fixtures(.allow) { fixtures in
            fixtures.changeAPI { api in
                api.enforcesPolicies = true
                api.tokenDialect = .accessTokenAuthz
            }
        }
        try await OrganizationTenant.run(enforcing) { server in
            try await server.services.stores.database.write { transaction in
                for (id, scope) in [("rol_own", "contacts"), ("rol_acme", "appointments")] {
                    let role = try Role(
                        document: Document(
                            [
                                "name": .string(id),
                                "permissions": [
                                    [
                                        "resource_server_identifier": "appointments:api",
                                        "permission_name": .string(scope),
                                    ]
                                ],
                            ], path: ""), standardID: id)
                    try RoleStore.save(role, in: transaction)
                }
                try RoleStore.assign(roleID: "rol_own", to: User.ada.id, in: transaction)
                try OrganizationStore.assign(roleID: "rol_acme", to: User.ada.id, in: Self.acme, transaction)
            }
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let scope = "openid appointments contacts offline_access"
            for (organization, permission) in [(Self.acme, "appointments"), (nil, "contacts")] as [(String?, String)] {
                let tokens = try await Self.tokens(
                    party, browser,
                    ["organization": organization, "audience": "appointments:api", "scope": scope])
                let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "").json()
                for answer in [tokens, refreshed] {
                    let claims = answer["access_token"]?.string?.claims
                    #expect(claims?["permissions"] == [.string(permission)])
                    #expect(claims?["scope"]?.string?.contains(permission) == true)
                }
            }
        }
    }

    @Test(
        "ORG-5: without a connection that serves the application there is no login",
        arguments: [nil, ["is_enabled": false]])
    func noConnections(settings: JSONObject?) async throws {
        try await OrganizationTenant.run(connection: settings) { server in
            let answer = try await TestBrowser(server).get(
                RelyingParty.regularWebApp(server).authorizationURL(["organization": Self.acme]))
            #expect(answer.query("error_description") == "no connections enabled for the organization")
        }
    }

    @Test("ORG-8: an organization takes new users where its connection says so, and makes them members")
    func signup() async throws {
        try await OrganizationTenant.run { server in
            let page = try await TestBrowser(server).get(
                RelyingParty.regularWebApp(server).authorizationURL(["organization": Self.acme]))
            let html = try await server.get(page.location ?? "").text
            #expect(!html.contains("/u/signup"))
        }
        let open: JSONObject = ["assign_membership_on_login": true, "is_signup_enabled": true]
        try await OrganizationTenant.run(connection: open) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let page = try await browser.get(
                party.authorizationURL(["organization": Self.acme, "screen_hint": "signup"]))
            let sent = try await browser.submit(
                page,
                [("email", "new@example.com"), ("password", "Difference-Engine-1822"), ("action", "default")])
            let answer = try await browser.follow(sent)
            let token = try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string ?? ""
            #expect(token.claims["org_id"] == .string(Self.acme))
        }
    }

    @Test("Somebody else's application signs members in only where the organization lets it")
    func thirdParty() async throws {
        var fixtures = Fixtures()
        fixtures.change("third-party-app") { $0.organizations = ClientOrganizationSettings(usage: .allow) }
        try await OrganizationTenant.run(fixtures) { server in
            let answer = try await TestBrowser(server).get(
                RelyingParty.thirdParty(server).authorizationURL(["organization": Self.acme]))
            #expect(answer.query("error_description") == "parameter organization is invalid: \(Self.acme)")
        }
    }

    @Test("A machine acts for an organization where its client grant lets it")
    func machine() async throws {
        try await OrganizationTenant.run { server in
            let machine = RelyingParty.machine(server)
            func grant(_ usage: OrganizationUsage?, any: Bool? = nil) async throws {
                var grant = ClientGrant.machineAppointments
                (grant.organizationUsage, grant.allowsAnyOrganization) = (usage, any)
                let written = grant
                try await server.services.stores.database.write { try ClientGrantStore.save(written, in: $0) }
                try await server.services.configuration.refresh()
            }
            func answer(_ organization: String?) async throws -> JSONObject {
                try await machine.token([
                    "grant_type": "client_credentials", "audience": "appointments:api", "organization": organization,
                ]).json()
            }
            #expect(try await answer(Self.acme)["error"] == "invalid_request")
            try await grant(.require)
            #expect(try await answer(nil)["error"] == "invalid_request")
            #expect(try await answer(Self.acme)["error"] == "access_denied")
            try await server.services.stores.database.write {
                try OrganizationStore.addClientGrant(ClientGrant.machineAppointments.id, to: Self.acme, in: $0)
            }
            #expect(try await answer(Self.acme)["access_token"]?.string?.claims["org_id"] == .string(Self.acme))
            #expect(try await answer("org_unknown")["error"] == "invalid_request")
            try await server.services.stores.database.write {
                try OrganizationStore.removeClientGrant(ClientGrant.machineAppointments.id, from: Self.acme, in: $0)
            }
            try await grant(.allow, any: true)
            #expect(try await answer(Self.acme)["access_token"]?.string?.claims["org_id"] == .string(Self.acme))
            #expect(try await answer(nil)["access_token"]?.string?.claims["org_id"] == nil)
        }
    }

    @Test("Where an organization is required, no grant lets a user in without one")
    func otherGrants() async throws {
        let fixtures = OrganizationTenant.fixtures(.require) { fixtures in
            fixtures.change("regular-web-app") { client in
                client.grantTypes.formUnion([.password, .deviceCode])
            }
            fixtures.settings.defaultDirectory = Connection.database.name
        }
        try await OrganizationTenant.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let password = try await party.token([
                "grant_type": "password", "username": "ada@example.com", "password": User.adaPassword,
            ])
            #expect(try password.json()["error_description"]?.string?.contains("organization is required") == true)
            let device = try await party.post("/oauth/device/code", ["scope": "openid"])
            #expect(try device.json()["error_description"]?.string?.contains("organization is required") == true)
        }
    }
}
