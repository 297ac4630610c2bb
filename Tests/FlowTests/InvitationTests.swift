import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Accepting an invitation")
struct InvitationTests {
    private static let (acme, other) = (OrganizationTenant.acme, OrganizationTenant.other)
    private static let password = InvitationVisitor.password

    private static func run(
        connection: JSONObject = [:], members: [User] = [],
        changes: @escaping @Sendable (inout Fixtures) -> Void = { _ in },
        _ body: @escaping @Sendable (InvitationVisitor) async throws -> Void
    ) async throws {
        let fixtures = OrganizationTenant.fixtures(.allow) { fixtures in
            fixtures.change("regular-web-app") { $0.initiateLoginURI = "https://app.example.com/start" }
            changes(&fixtures)
        }
        try await OrganizationTenant.run(fixtures, connection: connection, members: members) { server in
            try await OrganizationTenant.add(
                Organization(id: other, name: "other"), connection: connection, members: [], to: server)
            try await body(
                InvitationVisitor(
                    party: .regularWebApp(server), browser: TestBrowser(server),
                    management: try await ManagementClient(server)))
        }
    }

    private static func expectGone(_ answer: TestResponse) {
        #expect(answer.query("error") == "invalid_request")
        #expect(answer.query("error_description") == "invitation not found or already used")
    }

    @Test(
        "INV-3, INV-4: a newcomer signs up, is verified, a member with the roles and metadata, and the ticket is spent")
    func newcomer() async throws {
        try await Self.run { visitor in
            let role = try await visitor.management.post("roles", ["name": "Nurse"])["id"] ?? .null
            let ticket = try await visitor.invite(
                "New@Example.com", ["roles": [role], "app_metadata": ["plan": "gold"], "user_metadata": ["ward": "3"]])
            let page = try await visitor.open(ticket)
            let html = try await visitor.browser.get(page.location ?? "").text
            #expect(html.contains("You&#39;ve Been Invited!") || html.contains("You've Been Invited!"))
            #expect(html.contains("Grace") && html.contains("acme") && html.contains("new@example.com"))
            let signup = try await visitor.browser.follow(visitor.browser.submit(page, [("action", "accept")]))
            #expect(signup.location?.hasPrefix("/u/signup?state=") == true)
            let form = try await visitor.browser.get(signup.location ?? "").text
            #expect(form.contains("readonly value=\"new@example.com\""))
            let answer = try await visitor.browser.follow(visitor.signUp(signup, "new@example.com"))
            let claims = try await visitor.claims(answer)
            #expect(claims["org_id"] == .string(Self.acme) && claims["email_verified"] == true)
            let user = try #require(try await visitor.user("new@example.com"))
            #expect(user.isEmailVerified && user.appMetadata == ["plan": "gold"])
            #expect(user.userMetadata == ["ward": "3"])
            let roles = try await visitor.server.services.stores.database.read {
                try OrganizationStore.roles(of: user.id, in: Self.acme, $0)
            }
            #expect(roles.map(\.name) == ["Nurse"])
            Self.expectGone(try await visitor.open(ticket))
            #expect(try await visitor.management.list("organizations/\(Self.acme)/invitations").isEmpty)
        }
    }

    @Test("INV-4: who has an account logs in with it, and what the account had stays")
    func known() async throws {
        try await Self.run { visitor in
            let ticket = try await visitor.invite("ada@example.com", ["user_metadata": ["ward": "3"]])
            let login = try await visitor.proceed(ticket)
            #expect(login.location?.hasPrefix("/u/login?state=") == true)
            let form = try await visitor.browser.get(login.location ?? "").text
            #expect(form.contains("value=\"ada@example.com\""))
            let answer = try await visitor.browser.logIn(login, password: User.adaPassword)
            #expect(try await visitor.claims(answer)["org_id"] == .string(Self.acme))
            let user = try #require(try await visitor.user("ada@example.com"))
            #expect(user.userMetadata["ward"] == "3" && user.isEmailVerified)
            #expect(user.profile == User.ada.profile)
        }
    }

    @Test(
        "INV-5, attack 31: a ticket that is unknown, altered, taken back, over, of another organization or application fails"
    )
    func worthless() async throws {
        try await Self.run { visitor in
            let ticket = try await visitor.invite("new@example.com")
            let altered = (ticket.first == "0" ? "1" : "0") + ticket.dropFirst()
            for (value, organization) in [
                ("x", Self.acme), (String(altered), Self.acme), (ticket.uppercased() + "0", Self.acme),
                (ticket, Self.other),
            ] {
                Self.expectGone(try await visitor.open(value, organization: organization))
            }
            let list = "organizations/\(Self.acme)/invitations"
            let id = try await visitor.management.list(list).first?["id"]?.string ?? ""
            let page = try await visitor.open(ticket)
            #expect(try await visitor.management.send(.delete, "\(list)/\(id)").status == .noContent)
            Self.expectGone(try await visitor.open(ticket))
            // Nor does a page help that was opened before.
            Self.expectGone(try await visitor.browser.get(page.location ?? ""))
        }
        try await Self.run { visitor in
            let now = visitor.server.services.now()
            for (id, client, end) in [
                ("uinv_over", "regular-web-app", now), ("uinv_else", "single-page-app", now + 600),
            ] {
                let invitation = OrganizationInvitation(
                    id: id, organizationID: Self.acme, ticketDigest: Secret(id).digest, inviterName: "Grace",
                    inviteeEmail: "new@example.com", clientID: client, createdAt: now - 600, expiresAt: end)
                try await visitor.server.services.stores.database.write {
                    try OrganizationInvitationStore.insert(invitation, in: $0)
                }
                Self.expectGone(try await visitor.open(id))
            }
        }
    }

    @Test("INV-6: another account than the invited one is refused, and the ticket is spent")
    func otherAccount() async throws {
        try await Self.run { visitor in
            let ticket = try await visitor.invite("ada@example.com")
            let login = try await visitor.proceed(ticket)
            let answer = try await visitor.browser.logIn(
                login, email: "grace@example.com", password: User.gracePassword)
            #expect(answer.query("error") == "access_denied")
            #expect(
                answer.query("error_description")
                    == "the specified account is not allowed to accept the current invitation")
            #expect(try await !OrganizationTenant.isMember(User.grace.id, at: visitor.server))
            Self.expectGone(try await visitor.open(ticket))
        }
    }

    @Test("Attack 31: nobody signs up with another address than the invited one")
    func otherAddress() async throws {
        try await Self.run { visitor in
            let page = try await visitor.proceed(visitor.invite("new@example.com"))
            let refused = try await visitor.signUp(page, "mallory@example.com")
            #expect(refused.status == .badRequest)
            #expect(refused.text.contains("Please sign up with the email address that was invited."))
            #expect(try await visitor.user("mallory@example.com") == nil)
            let answer = try await visitor.browser.follow(visitor.signUp(page, "NEW@example.com"))
            #expect(try await visitor.claims(answer)["org_id"] == .string(Self.acme))
        }
    }

    @Test("INV-7: a session that is there accepts nothing, not even the invited person's, and silently there is no way")
    func session() async throws {
        try await Self.run { visitor in
            _ = try await visitor.party.authorize(visitor.browser)
            let ticket = try await visitor.invite("ada@example.com")
            let silent = try await visitor.open(ticket, ["prompt": "none"])
            #expect(silent.query("error") == "interaction_required")
            let login = try await visitor.proceed(ticket)
            #expect(login.location?.hasPrefix("/u/login?state=") == true)
            #expect(try await !OrganizationTenant.isMember(User.ada.id, at: visitor.server))
            let answer = try await visitor.browser.logIn(login, password: User.adaPassword)
            #expect(try await visitor.claims(answer)["org_id"] == .string(Self.acme))
        }
    }

    @Test("An invitation bound to another provider's connection goes there, and wants the address verified by it")
    func upstream() async throws {
        let standIn = UpstreamLoginTests.fixtures("stand-in").connections[1]
        try await Self.run(changes: { $0.connections.append(standIn) }) { visitor in
            try await visitor.server.services.stores.database.write {
                try OrganizationStore.save(OrganizationConnection(connectionID: standIn.id), of: Self.acme, in: $0)
            }
            for (address, isVerified) in [("new@example.com", false), ("new@example.com", true), ("x@y.example", true)]
            {
                let ticket = try await visitor.invite("new@example.com", ["connection_id": .string(standIn.id)])
                let browser = TestBrowser(visitor.server)
                let departure = try await visitor.proceed(ticket, in: browser)
                #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
                let user = "user=\(address)-\(isVerified)&email=\(address)&email_verified=\(isVerified)"
                let answer = try await UpstreamLoginTests.arrive(browser, departure, user)
                if isVerified, address == "new@example.com" {
                    #expect(try await visitor.claims(answer)["org_id"] == .string(Self.acme))
                } else {
                    #expect(answer.query("error") == "access_denied")
                }
                Self.expectGone(try await visitor.open(ticket, in: browser))
            }
        }
    }

    @Test("INV-8: an invitation without its organization is invalid_request")
    func withoutOrganization() async throws {
        try await Self.run { visitor in
            let answer = try await visitor.open(visitor.invite("new@example.com"), organization: nil)
            #expect(answer.query("error") == "invalid_request")
            #expect(
                answer.query("error_description") == "parameter organization is required with an invitation")
        }
    }

    @Test("INV-4: of two browsers that race with one ticket one becomes a member")
    func race() async throws {
        try await Self.run { visitor in
            let ticket = try await visitor.invite("ada@example.com")
            let browsers = [TestBrowser(visitor.server), TestBrowser(visitor.server)]
            var pages: [TestResponse] = []
            for browser in browsers { pages.append(try await visitor.proceed(ticket, in: browser)) }
            let first = try await browsers[0].logIn(pages[0], password: User.adaPassword)
            #expect(first.query("code") != nil)
            Self.expectGone(try await browsers[1].get(pages[1].location ?? ""))
        }
    }

    @Test(
        "An invitation opens the sign-up that is closed to strangers, and nothing remains of one that lost its ticket")
    func closedSignup() async throws {
        try await Self.run { visitor in
            var connection = Connection.database
            connection.options["disable_signup"] = true
            let closed = connection
            try await visitor.server.services.stores.database.write { transaction in
                try ConnectionStore.save(closed, in: transaction)
                try TenantStore.configurationChanged(in: transaction)
            }
            try await visitor.server.services.configuration.refresh()
            let page = try await visitor.proceed(visitor.invite("new@example.com"))
            #expect(page.location?.hasPrefix("/u/signup?state=") == true)
            let form = try await visitor.browser.get(page.location ?? "").text
            let list = "organizations/\(Self.acme)/invitations"
            let id = try await visitor.management.list(list).first?["id"]?.string ?? ""
            _ = try await visitor.management.send(.delete, "\(list)/\(id)")
            let sent = try await visitor.browser.post(
                page.location ?? "",
                TestBrowser.hiddenFields(form) + [("email", "new@example.com"), ("password", Self.password)])
            Self.expectGone(try await visitor.browser.follow(sent))
            #expect(try await visitor.user("new@example.com") == nil)
            let again = try await visitor.proceed(visitor.invite("new@example.com"))
            let answer = try await visitor.browser.follow(visitor.signUp(again, "new@example.com"))
            #expect(try await visitor.claims(answer)["org_id"] == .string(Self.acme))
        }
    }

    @Test("Consent after an accepted invitation finds the ticket spent, and goes on")
    func consent() async throws {
        try await Self.run(changes: { fixtures in
            fixtures.changeAPI { $0.skipsConsentForVerifiableFirstPartyClients = false }
        }) { visitor in
            let ticket = try await visitor.invite("ada@example.com")
            let page = try await visitor.open(
                ticket, ["audience": "appointments:api", "scope": "openid appointments"])
            let login = try await visitor.browser.follow(visitor.browser.submit(page, [("action", "accept")]))
            let consent = try await visitor.browser.logIn(login, password: User.adaPassword)
            #expect(consent.location?.hasPrefix("/u/consent") == true)
            let answer = try await visitor.browser.follow(visitor.browser.submit(consent, [("action", "accept")]))
            #expect(try await visitor.claims(answer)["org_id"] == .string(Self.acme))
        }
    }

    @Test("An accepted and a failed invitation are log events si and fi, without the ticket")
    func log() async throws {
        try await Self.run { visitor in
            let first = try await visitor.invite("ada@example.com")
            _ = try await visitor.browser.logIn(visitor.proceed(first), password: User.adaPassword)
            let second = try await visitor.invite("grace@example.com")
            _ = try await visitor.browser.logIn(visitor.proceed(second), password: User.adaPassword)
            let events = try await visitor.server.logEvents()
            #expect(events.map(\.type).filter { ["si", "fi"].contains($0) } == ["si", "fi"])
            #expect(!"\(events)".contains(first) && !"\(events)".contains(second))
        }
    }
}
