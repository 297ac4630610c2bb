import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Scripts that make a login the primary user's")
struct PrimaryUserTests {
    private static let linkAndSwitch = """
        exports.onExecutePostLogin = async (event, api) => {
          \(LinkingTenant.link)
          api.user.setAppMetadata('linked', true);
          if (event.user.user_id !== event.secrets.PRIMARY) api.authentication.setPrimaryUser(event.secrets.PRIMARY);
        };
        """
    private static let after = """
        exports.onExecutePostLogin = async (event, api) => {
          api.idToken.setCustomClaim('seen', [event.user.user_id, event.user.identities.length]);
        };
        """

    @Test(
        "After setPrimaryUser tokens, session, the actions that follow and later logins are the primary user's, not the account's"
    )
    func login() async throws {
        try await LinkingTenant.run { server, secrets in
            try await server.bind(
                [(name: "Link", code: Self.linkAndSwitch), (name: "After", code: Self.after)], secrets: secrets)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let arrival = try await LinkingTenant.logIn(server, browser, ["scope": "openid email offline_access"])
            let tokens = try await party.redeem(try #require(arrival.query("code"))).json()
            let claims = try #require(tokens["id_token"]?.string).claims
            #expect(claims["sub"] == .string(User.ada.id) && claims["email"] == "ada@example.com")
            #expect(claims["seen"] == [.string(User.ada.id), 2])

            let session = try #require(try await LinkingTenant.sessions(of: .ada, server).first)
            #expect(claims["sid"] == .string(session.sid))
            #expect(try await LinkingTenant.sessions(of: .grace, server).isEmpty)
            let ada = try await server.services.stores.users.find(User.ada.id)
            #expect(ada?.appMetadata == ["linked": true] && ada?.loginsCount == 1)

            // Silent logins and refreshes go on as the primary user's, and change nobody.
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            let again = try await party.redeem(try #require(silent.query("code"))).json()
            #expect(again["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
            let refreshed = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
            #expect(refreshed["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
            // So does the account's own password.
            let other = try await LinkingTenant.logIn(server, TestBrowser(server))
            let later = try await party.redeem(try #require(other.query("code"))).json()
            #expect(later["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
        }
    }

    @Test("context.primaryUser of a rule does the same")
    func rule() async throws {
        try await LinkingTenant.run { server, secrets in
            let management = try await ManagementClient(server)
            for (key, value) in secrets {
                _ = try await management.send(.put, "rules-configs/\(key)", ["value": value])
            }
            try await server.addRule(
                """
                async function (user, context, callback) {
                  const event = { user, secrets: configuration };
                  try { \(LinkingTenant.link) } catch (error) { return callback(error); }
                  context.primaryUser = configuration.PRIMARY;
                  callback(null, user, context);
                }
                """)
            let arrival = try await LinkingTenant.logIn(server, TestBrowser(server))
            let tokens = try await RelyingParty.regularWebApp(server).redeem(try #require(arrival.query("code"))).json()
            #expect(tokens["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
        }
    }

    @Test(
        "A login fails where the account is no identity of the user named, there is no such user, or a second one is named"
    )
    func refusals() async throws {
        let calls = [
            ("api.authentication.setPrimaryUser('\(User.ada.id)');", "is no identity"),
            ("api.authentication.setPrimaryUser('auth0|nobody');", "there is no user"),
            ("api.authentication.setPrimaryUser(7);", "must be a string"),
            (
                "\(LinkingTenant.link) api.authentication.setPrimaryUser('\(User.ada.id)');"
                    + "api.authentication.setPrimaryUser('\(User.ada.id)x');", "once in a login"
            ),
        ]
        for (call, words) in calls {
            try await LinkingTenant.run { server, secrets in
                try await server.bind(call, secrets: secrets)
                let browser = TestBrowser(server)
                let refusal = server.refusal(try await LinkingTenant.logIn(server, browser))
                #expect(refusal.error == "access_denied" && refusal.description.contains(words), "\(refusal)")
                #expect(try await LinkingTenant.sessions(of: .ada, server).isEmpty)
            }
        }
    }

    @Test("Nobody becomes a user who is blocked, or signs in to an organization that the primary user is no member of")
    func keptOut() async throws {
        try await LinkingTenant.run { server, secrets in
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            _ = try await ManagementClient(server).patch("users/\(User.ada.id.formEncoded)", ["blocked": true])
            let browser = TestBrowser(server)
            let refusal = server.refusal(try await LinkingTenant.logIn(server, browser))
            #expect(refusal.error == "unauthorized" && refusal.description == "user is blocked")
            #expect(try await LinkingTenant.sessions(of: .ada, server).isEmpty)
            let silent = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(["prompt": "none"]))
            #expect(server.refusal(silent).error == "login_required")
        }
        var fixtures = OrganizationTenant.fixtures(.allow)
        fixtures.settings = ScriptedTenant.everyGrant.settings
        try await LinkingTenant.run(fixtures) { server, secrets in
            try await OrganizationTenant.add(
                Organization(id: OrganizationTenant.acme, name: "acme"), members: [.grace], to: server)
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            let refusal = server.refusal(
                try await LinkingTenant.logIn(
                    server, TestBrowser(server), ["organization": .some(OrganizationTenant.acme)]))
            #expect(refusal.error == "access_denied" && refusal.description.contains("is not part of"))
        }
    }

    @Test("The primary user passes a second factor of their own: the account's does not count")
    func ownFactor() async throws {
        try await LinkingTenant.run { server, secrets in
            let (ada, _) = try await FactorVisitor.enrolled(server)
            try await server.requireFactors()
            let grace = FactorVisitor(server)
            let begun = try await LinkingTenant.logIn(server, grace.browser)
            let (_, _, first) = try await grace.enroll(begun)
            #expect(first.query("code") != nil)
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            server.clock.advance(by: 60)
            // The session has Grace's factor, and Ada's is asked for all the same.
            let asked = try await grace.browser.get(grace.party.authorizationURL())
            #expect(asked.location?.hasPrefix("/u/mfa-otp-challenge?state=") == true)
            #expect(try await grace.send("000000", asked).status == .badRequest)
            let arrival = try await grace.send(grace.code(ada), asked)
            let tokens = try await grace.party.redeem(try #require(arrival.query("code"))).json()
            let claims = try #require(tokens["id_token"]?.string).claims
            #expect(claims["sub"] == .string(User.ada.id) && claims["amr"] == ["mfa"])
        }
    }

    @Test("A second factor that moves to the primary user with the account has been passed")
    func movedFactor() async throws {
        try await LinkingTenant.run { server, secrets in
            try await server.requireFactors()
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            let grace = FactorVisitor(server)
            let (_, _, arrival) = try await grace.enroll(LinkingTenant.logIn(server, grace.browser))
            let tokens = try await grace.party.redeem(try #require(arrival.query("code"))).json()
            let claims = try #require(tokens["id_token"]?.string).claims
            #expect(claims["sub"] == .string(User.ada.id) && claims["amr"] == ["mfa"])
        }
    }

    @Test("Consent is the primary user's, and asked of whoever has signed in")
    func consent() async throws {
        try await LinkingTenant.run { server, secrets in
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            let (party, browser) = (RelyingParty.thirdParty(server), TestBrowser(server))
            let page = try await browser.get(party.authorizationURL())
            let asked = try await browser.logIn(page, email: "grace@example.com", password: User.gracePassword)
            #expect(asked.location?.hasPrefix("/u/consent?state=") == true)
            let arrival = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            let tokens = try await party.redeem(try #require(arrival.query("code"))).json()
            #expect(tokens["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
            let grants = try await ManagementClient(server).list("grants?user_id=\(User.ada.id.formEncoded)")
            #expect(grants.count == 1)
        }
    }

    @Test(
        "Without a browser, too, the account's second factor does not count for the primary user, who is asked next time"
    )
    func ownFactorAtTheTokenEndpoint() async throws {
        try await LinkingTenant.run { server, secrets in
            let (ada, _) = try await FactorVisitor.enrolled(server)
            try await server.requireFactors()
            let grace = FactorVisitor(server)
            let (app, _, _) = try await grace.enroll(LinkingTenant.logIn(server, grace.browser))
            let grants: JSONValue = ["authorization_code", "password", .string(MFAClient.otp)]
            _ = try await ManagementClient(server).send(
                .patch, "clients/regular-web-app", ["grant_types": grants])
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            server.clock.advance(by: 60)
            let client = MFAClient(server)
            let credentials: [String: String?] = ["username": "grace@example.com", "password": User.gracePassword]
            let refused = try await client.redeem(
                MFAClient.otp, client.token(credentials), ["otp": client.code(app)])
            #expect(try refused.json()["error"] == "mfa_required")
            #expect(try refused.json()["access_token"] == nil)
            let tokens = try await client.redeem(
                MFAClient.otp, client.token(credentials), ["otp": client.code(ada)])
            let claims = try #require(try tokens.json()["id_token"]?.string).claims
            #expect(claims["sub"] == .string(User.ada.id) && claims["amr"] == ["mfa"])
        }
    }

    @Test(
        "The password grant gives the primary user's tokens; a refresh token stays its account's, which has ended with the link"
    )
    func tokenEndpoint() async throws {
        try await LinkingTenant.run { server, secrets in
            let party = RelyingParty.regularWebApp(server)
            let parameters =
                [
                    "username": "grace@example.com", "password": User.gracePassword, "scope": "openid offline_access",
                ] as [String: String?]
            let before = try await PasswordGrantTests.logIn(party, parameters).json()
            try await server.bind([(name: "Link", code: Self.linkAndSwitch)], secrets: secrets)
            let refused = try await party.refresh(try #require(before["refresh_token"]?.string)).json()
            #expect(refused["error"] == "invalid_grant")
            #expect(refused["error_description"]?.string?.contains("sign in again") == true)
            _ = try await ManagementClient(server).send(
                .delete, "users/\(User.ada.id.formEncoded)/identities/auth0/\(User.grace.id.dropFirst(6))")
            let tokens = try await PasswordGrantTests.logIn(party, parameters).json()
            #expect(tokens["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
            let refreshed = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
            #expect(refreshed["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
        }
    }
}
