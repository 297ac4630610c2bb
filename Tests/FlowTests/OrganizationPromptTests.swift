import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Pages that ask for the organization")
struct OrganizationPromptTests {
    private static let (acme, other) = (OrganizationTenant.acme, OrganizationTenant.other)

    /// The claims of the ID token of an answer's code.
    static func claims(_ answer: TestResponse, _ party: RelyingParty) async throws -> JSONObject {
        try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string?.claims ?? [:]
    }

    private static func run(
        _ usage: OrganizationUsage, _ behavior: ClientOrganizationSettings.RequireBehavior, others: [User] = [.ada],
        _ body: @escaping @Sendable (RelyingParty, TestBrowser) async throws -> Void
    ) async throws {
        try await OrganizationTenant.run(OrganizationTenant.fixtures(usage, behavior)) { server in
            var second = Organization(id: other, name: "other")
            second.displayName = "The <Other>"
            try await OrganizationTenant.add(second, members: others, to: server)
            try await body(RelyingParty.regularWebApp(server), TestBrowser(server))
        }
    }

    @Test("§9.3 pre_login_prompt: a page asks for the name before the login, and the tokens are for that organization")
    func prompt() async throws {
        try await Self.run(.require, .preLoginPrompt) { party, browser in
            let start = try await browser.get(party.authorizationURL())
            #expect(start.location?.hasPrefix("/u/organization?state=") == true)
            let wrong = try await browser.submit(start, [("organizationName", "acne"), ("action", "default")])
            #expect(wrong.status == .badRequest)
            #expect(wrong.text.contains("The organization you entered is invalid"))
            let login = try await browser.follow(
                browser.submit(start, [("organizationName", " Acme "), ("action", "default")]))
            #expect(login.location?.hasPrefix("/u/login?state=") == true)
            let answer = try await browser.logIn(login, password: User.adaPassword)
            #expect(try await Self.claims(answer, party)["org_id"] == .string(Self.acme))
        }
    }

    @Test("§9.3 pre_login_prompt: an id is no name, and where an organization is required there is no way around it")
    func promptRefusals() async throws {
        try await Self.run(.require, .preLoginPrompt) { party, browser in
            let start = try await browser.get(party.authorizationURL())
            for fields in [
                [("organizationName", Self.acme), ("action", "default")], [("action", "personal")], [],
            ] {
                #expect(try await browser.submit(start, fields).status == .badRequest)
            }
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "interaction_required")
            let forged = try await browser.post(start.location ?? "", [("organizationName", "acme")])
            #expect(forged.status == .forbidden)
        }
    }

    @Test(
        "§9.3: a request that names the organization skips the pages",
        arguments: ["pre_login_prompt", "post_login_prompt"])
    func skipped(behavior: String) async throws {
        let behavior = try #require(ClientOrganizationSettings.RequireBehavior(rawValue: behavior))
        try await Self.run(.require, behavior) { party, browser in
            let answer = try await party.authorize(browser, ["organization": Self.other])
            #expect(try await Self.claims(answer, party)["org_id"] == .string(Self.other))
        }
    }

    @Test("ORG-6: who names an organization on the page and is no member is refused after the login")
    func wrongOrganization() async throws {
        try await Self.run(.require, .preLoginPrompt, others: []) { party, browser in
            let start = try await browser.get(party.authorizationURL())
            let login = try await browser.follow(
                browser.submit(start, [("organizationName", "other"), ("action", "default")]))
            let answer = try await browser.logIn(login, password: User.adaPassword)
            #expect(answer.query("error") == "access_denied")
            #expect(
                answer.query("error_description") == "user \(User.ada.id) is not part of the \(Self.other) organization"
            )
        }
    }

    @Test("§9.3 post_login_prompt: the user picks one of their organizations, and none that is not theirs")
    func picker() async throws {
        try await Self.run(.require, .postLoginPrompt) { party, browser in
            let page = try await party.authorize(browser)
            #expect(page.location?.hasPrefix("/u/organization-picker?state=") == true)
            let html = try await browser.get(page.location ?? "").text
            #expect(html.contains("Choose an Organization") && html.contains("The &lt;Other&gt;"))
            for fields in [[("organization", "org_unknown")], [("action", "personal")], []] {
                #expect(try await browser.submit(page, fields).status == .badRequest)
            }
            let answer = try await browser.follow(browser.submit(page, [("organization", Self.other)]))
            #expect(try await Self.claims(answer, party)["org_id"] == .string(Self.other))
            // The session is there now; which organization it is for is asked again.
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "interaction_required")
        }
    }

    @Test("§9.3 post_login_prompt: an only organization needs no question, and nobody gets in without one")
    func onlyOne() async throws {
        try await Self.run(.require, .postLoginPrompt, others: []) { party, browser in
            let answer = try await party.authorize(browser)
            #expect(try await Self.claims(answer, party)["org_id"] == .string(Self.acme))
            try await browser.server.services.stores.database.write {
                try OrganizationStore.removeMember(User.ada.id, from: Self.acme, in: $0)
            }
            let refused = try await browser.get(party.authorizationURL())
            #expect(refused.query("error") == "access_denied")
        }
    }

    @Test(
        "§9.3 allow: the user may go on with an account of their own",
        arguments: ["pre_login_prompt", "post_login_prompt"])
    func personal(behavior: String) async throws {
        let behavior = try #require(ClientOrganizationSettings.RequireBehavior(rawValue: behavior))
        try await Self.run(.allow, behavior) { party, browser in
            let isFirst = behavior == .preLoginPrompt
            let page = isFirst ? try await browser.get(party.authorizationURL()) : try await party.authorize(browser)
            var next = try await browser.follow(browser.submit(page, [("action", "personal")]))
            if isFirst { next = try await browser.logIn(next, password: User.adaPassword) }
            let claims = try await Self.claims(next, party)
            #expect(claims["sub"] == .string(User.ada.id) && claims["org_id"] == nil)
        }
    }

    @Test("§9.3 allow: who belongs to no organization is not asked for one")
    func allowWithout() async throws {
        let fixtures = OrganizationTenant.fixtures(.allow, .postLoginPrompt)
        try await OrganizationTenant.run(fixtures, members: []) { server in
            let answer = try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server))
            #expect(answer.query("code") != nil)
        }
    }

    @Test(
        "The picker has the organizations of the user's connection, and of somebody else's application none that bars it"
    )
    func eligible() async throws {
        try await OrganizationTenant.run(OrganizationTenant.fixtures(.require, .postLoginPrompt)) { server in
            let off = Organization(id: Self.other, name: "other")
            try await OrganizationTenant.add(off, connection: ["is_enabled": false], to: server)
            let party = RelyingParty.regularWebApp(server)
            let answer = try await party.authorize(TestBrowser(server))
            #expect(try await Self.claims(answer, party)["org_id"] == .string(Self.acme))
        }
        var fixtures = Fixtures()
        fixtures.change("third-party-app") {
            $0.organizations = ClientOrganizationSettings(usage: .require, requireBehavior: .postLoginPrompt)
        }
        try await OrganizationTenant.run(fixtures) { server in
            let answer = try await RelyingParty.thirdParty(server).authorize(TestBrowser(server))
            #expect(answer.query("error_description") == "user \(User.ada.id) is not part of any organization")
        }
    }

    @Test("A chosen organization that is deleted before the end is told, not let through")
    func deleted() async throws {
        try await Self.run(.require, .preLoginPrompt) { party, browser in
            let start = try await browser.get(party.authorizationURL())
            let login = try await browser.follow(
                browser.submit(start, [("organizationName", "acme"), ("action", "default")]))
            try await browser.server.services.stores.database.write { try OrganizationStore.delete(Self.acme, in: $0) }
            let answer = try await browser.get(login.location ?? "")
            #expect(answer.query("error_description") == "parameter organization is invalid: \(Self.acme)")
        }
    }

    @Test("An organization's pages have its name, logo and colours in place of the tenant's")
    func branding() async throws {
        try await OrganizationTenant.run { server in
            let members: JSONObject = [
                "name": "acme", "display_name": "Acme Health",
                "branding": [
                    "logo_url": "https://acme.example/logo.png",
                    "colors": ["primary": "#070", "page_background": "#102030"],
                ],
            ]
            let branded = try Organization(document: Document(members, path: ""), standardID: Self.acme)
            try await OrganizationTenant.add(branded, to: server)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let own = try await browser.get(browser.get(party.authorizationURL()).location ?? "").text
            #expect(!own.contains("brand/"))
            let start = try await browser.get(party.authorizationURL(["organization": Self.acme]))
            let html = try await browser.get(start.location ?? "").text
            #expect(html.contains("Acme Health") && html.contains("https://acme.example/logo.png"))
            let path = try #require(html.firstMatch(of: /\/organization-brand\/[^"]*/)).output
            let style = try await server.get(String(path))
            #expect(style.status == .ok && style.text.contains("#102030") && style.text.contains("#007700"))
            #expect(try await server.get("/organization-brand/org_unknown/0123456789abcdef.css").status == .notFound)
        }
    }

    @Test("CO-5, CO-10: what is allowed in one organization is allowed there alone")
    func consent() async throws {
        let fixtures = OrganizationTenant.fixtures(.allow) { fixtures in
            fixtures.changeAPI { $0.skipsConsentForVerifiableFirstPartyClients = false }
        }
        try await OrganizationTenant.run(fixtures) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let wanted: [String: String?] = ["audience": "appointments:api", "scope": "openid appointments"]
            let inside = wanted.merging(["organization": Self.acme]) { $1 }
            let first = try await party.authorize(browser, inside)
            #expect(first.location?.hasPrefix("/u/consent") == true)
            let allowed = try await browser.follow(browser.submit(first, [("action", "accept")]))
            #expect(allowed.query("code") != nil)
            #expect(try await browser.get(party.authorizationURL(inside)).query("code") != nil)
            let outside = try await browser.get(party.authorizationURL(wanted))
            #expect(outside.location?.hasPrefix("/u/consent") == true)
            let grants = try await ManagementClient(server).list("grants?user_id=\(User.ada.id.formEncoded)")
            #expect(grants.map { $0["organization_id"] } == [.string(Self.acme)])
        }
    }

    @Test(
        "ORG-2, ORG-10: userinfo names the organization, and an access token is worth nothing once the membership ends")
    func accessTokens() async throws {
        try await OrganizationTenant.run { server in
            let party = RelyingParty.regularWebApp(server)
            for audience in [nil, "appointments:api"] as [String?] {
                try await server.services.stores.database.write {
                    try OrganizationStore.addMember(User.ada.id, to: Self.acme, in: $0)
                }
                let tokens = try await party.tokens([
                    "organization": Self.acme, "audience": audience, "scope": "openid offline_access",
                ])
                let token = tokens["access_token"]?.string ?? ""
                let header: HTTPFields = [.authorization: "Bearer \(token)"]
                #expect(try await server.get("/userinfo", headers: header).json()["org_id"] == .string(Self.acme))
                #expect(try await party.introspect(token)["org_id"] == .string(Self.acme))
                try await server.services.stores.database.write {
                    try OrganizationStore.removeMember(User.ada.id, from: Self.acme, in: $0)
                }
                #expect(try await server.get("/userinfo", headers: header).status == .unauthorized)
                #expect(try await party.introspect(token) == ["active": false])
                #expect(try await party.introspect(tokens["refresh_token"]?.string ?? "") == ["active": false])
            }
        }
    }

    @Test("§9.1 default_organization: a machine that names no organization acts for its own")
    func defaultOrganization() async throws {
        try await OrganizationTenant.run { server in
            let management = try await ManagementClient(server)
            let settings: JSONObject = ["organization_id": .string(Self.acme), "flows": ["client_credentials"]]
            _ = try await management.patch("clients/machine", ["default_organization": .object(settings)])
            #expect(try await management.get("clients/machine")["default_organization"] == .object(settings))
            func organization() async throws -> JSONValue? {
                try await RelyingParty.machine(server).token([
                    "grant_type": "client_credentials", "audience": "appointments:api",
                ]).json()["access_token"]?.string?.claims["org_id"]
            }
            #expect(try await organization() == nil)
            var grant = ClientGrant.machineAppointments
            (grant.organizationUsage, grant.allowsAnyOrganization) = (.allow, true)
            let written = grant
            try await server.services.stores.database.write { transaction in
                try ClientGrantStore.save(written, in: transaction)
                try TenantStore.configurationChanged(in: transaction)
            }
            try await server.services.configuration.refresh()
            #expect(try await organization() == .string(Self.acme))
            for wrong in [
                ["organization_id": "acme", "flows": ["client_credentials"]],
                ["organization_id": .string(Self.acme), "flows": ["password"]], ["flows": ["client_credentials"]],
            ] as [JSONObject] {
                let answer = try await management.send(
                    .patch, "clients/machine", ["default_organization": .object(wrong)])
                #expect(answer.status == .badRequest)
            }
        }
    }

    @Test("An answer to a question that the login does not ask chooses nothing, and has no script run again")
    func unaskedAnswer() async throws {
        try await OrganizationTenant.run(OrganizationTenant.fixtures(.allow)) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            _ = try await party.authorize(browser)
            let start = try await browser.get(party.authorizationURL(["prompt": "login"]))
            let fields = Array(TestBrowser.hiddenFields(try await browser.get(start.location ?? "").text).prefix(2))
            for (page, answer) in [
                ("organization", ("organizationName", "acme")),
                ("organization", ("action", "personal")),
                ("organization-picker", ("organization", OrganizationTenant.acme)),
                ("organization-picker", ("action", "personal")),
            ] {
                let path = "/u/\(page)?state=\(start.query("state") ?? "")"
                // Whoever is not asked is shown no organizations either, and goes back to what they are asked.
                let status = try await browser.post(path, fields + [answer]).status
                #expect(status == (page == "organization" ? .badRequest : .found), "\(page) \(answer)")
            }
            let answer = try await browser.logIn(start, password: User.adaPassword)
            #expect(try await Self.claims(answer, party)["org_id"] == nil)
        }
    }
}
