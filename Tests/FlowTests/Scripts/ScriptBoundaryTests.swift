import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("What scripts, and those who would get around them, cannot do")
struct ScriptBoundaryTests {
    private static let ada = "auth0|aaaaaaaaaaaaaaaaaaaaaaaa"

    private static func idToken(_ tokens: JSONObject) throws -> JSONObject {
        try #require(tokens["id_token"]?.string).claims
    }

    private static func userInfo(_ tokens: JSONObject, _ server: TestServer) async throws -> JSONObject {
        let token = try #require(tokens["access_token"]?.string)
        return try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"]).json()
    }

    @Test("Who chooses another organization after the scripts have run meets them again")
    func organizationSwitch() async throws {
        try await ScriptedTenant.run(OrganizationTenant.fixtures(.require, .postLoginPrompt)) { server in
            for (id, name) in [(OrganizationTenant.acme, "acme"), (OrganizationTenant.other, "other")] {
                try await OrganizationTenant.add(Organization(id: id, name: name), to: server)
            }
            try await server.bind(
                """
                if (event.organization.name === 'other') return api.access.deny('Not there');
                api.redirect.sendUserTo('https://terms.example.com/');
                """)
            let browser = TestBrowser(server)
            let page = try await RelyingParty.regularWebApp(server).authorize(browser)
            let departure = try await browser.follow(
                browser.submit(page, [("organization", OrganizationTenant.acme)]))
            #expect(departure.location?.hasPrefix("https://terms.example.com/") == true)
            let refusal = server.refusal(
                try await browser.follow(browser.submit(page, [("organization", OrganizationTenant.other)])))
            #expect(refusal.error == "access_denied" && refusal.description == "Not there")
        }
    }

    @Test("An action changes no users by ManagementClient, nor any script roles; what a rule changes is in the log")
    func users() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                """
                const { ManagementClient } = require('auth0');
                const management = new ManagementClient({ domain: 'x', clientId: 'x', clientSecret: 'x' });
                const failures = [];
                for (const attempt of [
                  () => management.users.update({ id: event.user.user_id }, { app_metadata: { admin: true } }),
                  () => management.users.get({ id: event.user.user_id }),
                  () => management.users.assignRoles({ id: event.user.user_id }, { roles: ['rol_x'] }),
                ]) {
                  try { await attempt(); failures.push('none'); } catch (error) { failures.push(error.message); }
                }
                api.idToken.setCustomClaim('failures', failures);
                """)
            let party = RelyingParty.regularWebApp(server)
            let failures = try Self.idToken(try await party.tokens())["failures"]?.array?.compactMap(\.string) ?? []
            #expect(failures.count == 3 && failures.prefix(2).allSatisfy { $0.contains("is for rules") })
            #expect(failures.last?.contains("users.assignRoles is not available") == true)
            #expect(try await server.services.stores.users.find(Self.ada)?.appMetadata == [:])

            try await server.addRule(
                "function (user, context, callback) { auth0.users.updateAppMetadata(user.user_id, { plan: 'gold' })"
                    + ".then(() => callback(null, user, context)).catch(callback); }")
            _ = try await party.tokens()
            let event = try #require(try await server.logEvents().last { $0.type == "scripts_executed" })
            let run = try #require(event.details["scripts"]?.array?.first?.object)
            #expect(run["effects"] == [.string("users.updateAppMetadata \(Self.ada)")])
        }
    }

    @Test("A rule that sends the user away after another one had is not passed over")
    func secondRule() async throws {
        try await ScriptedTenant.run { server in
            for (name, comparison) in [("First", "!=="), ("Second", "===")] {
                try await server.addRule(
                    """
                    function (user, context, callback) {
                      if (context.protocol \(comparison) 'redirect-callback')
                        context.redirect = { url: 'https://\(name.lowercased()).example.com/' };
                      callback(null, user, context);
                    }
                    """, name: name)
            }
            let browser = TestBrowser(server)
            let departure = try await RelyingParty.regularWebApp(server).authorize(browser)
            #expect(departure.location?.hasPrefix("https://first.example.com/") == true)
            let state = try #require(departure.query("state"))
            let refusal = server.refusal(try await browser.get("/continue?state=\(state)"))
            #expect(refusal.error == "access_denied" && refusal.description.contains("failed"))
            let event = try #require(try await server.logEvents().last { $0.type == "actions_execution_failed" })
            #expect(event.description?.contains("rule Second: it sends the user away after another rule") == true)
        }
    }

    @Test("What comes back to /continue takes the place of nothing in the authorization request")
    func returnedParameters() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(
                """
                function (user, context, callback) {
                  context.idToken.query = context.request.query;
                  context.redirect = { url: 'https://terms.example.com/' };
                  callback(null, user, context);
                }
                """)
            let browser = TestBrowser(server)
            let departure = try await RelyingParty.regularWebApp(server).authorize(browser, ["acr_values": "strong"])
            let state = try #require(departure.query("state"))
            let arrival = try await browser.get(
                "/continue?state=\(state)&acr_values=none&client_id=other&session_token=abc&answer=42")
            let tokens = try await RelyingParty.regularWebApp(server).redeem(try #require(arrival.query("code"))).json()
            let query = try #require(try Self.idToken(tokens)["query"]?.object)
            #expect(query["acr_values"] == "strong" && query["client_id"] == "regular-web-app")
            #expect(query["session_token"] == "abc" && query["answer"] == "42" && query["state"] == .string(state))
        }
    }

    @Test("Who uses a replaced refresh token, or proves no key, runs no script by it")
    func refreshing() async throws {
        try await ScriptedTenant.run(RefreshTokenTests.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await RefreshTokenTests.firstToken(party)
            let second = try await party.refresh(first).json()["refresh_token"]?.string ?? ""
            let key = ClientKey(server)
            let application = RelyingParty.singlePageApp(server)
            let code = try await application.code(nil, ["scope": "openid offline_access"])
            let bound = try await application.redeem(code, headers: key.headers()).json()["refresh_token"]?.string ?? ""

            try await server.bind("api.access.deny('A script ran');")
            let reuse = try await party.refresh(first).json()
            #expect(reuse["error_description"] == "Unknown or invalid refresh token.")
            let unproved = try await application.refresh(bound).json()
            #expect(unproved["error"] == "invalid_grant")
            #expect(try await application.refresh(bound, headers: key.headers()).json()["error"] == "access_denied")
            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            // The reuse has ended the family.
            #expect(try await party.refresh(second).json()["error"] == "invalid_grant")
        }
    }

    @Test("A scope that a script takes from an opaque token is gone at userinfo and introspection too, but openid")
    func removedScope() async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            try await server.bind("api.accessToken.removeScope('email').accessToken.removeScope('openid');")
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["scope": "openid profile email offline_access"])
            let front = AuthorizationAnswer(
                try await party.authorize(
                    TestBrowser(server),
                    ["response_type": "id_token token", "nonce": "n", "scope": "openid profile email"]))
            let refreshed = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
            let answers = [
                tokens, refreshed, ["access_token": .string(try #require(front["access_token"]))],
            ]
            for answer in answers {
                let claims = try await Self.userInfo(answer, server)
                #expect(claims["name"] == "Ada Lovelace" && claims["email"] == nil)
                let introspected = try await party.introspect(try #require(answer["access_token"]?.string))
                #expect(introspected["scope"]?.string?.contains("email") == false)
            }
        }
    }

    @Test("A script adds no scope of OpenID Connect's that the user has not granted")
    func addedScope() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind("api.accessToken.addScope('email').accessToken.addScope('extra');")
            for audience in ["appointments:api", nil] {
                let tokens = try await RelyingParty.regularWebApp(server).tokens([
                    "scope": "openid profile", "audience": audience,
                ])
                #expect(tokens["scope"] == "openid profile extra")
                let claims = try await Self.userInfo(tokens, server)
                #expect(claims["name"] == "Ada Lovelace" && claims["email"] == nil)
            }
        }
    }

    @Test("bcrypt has ten rounds at most, and four hashes in a run")
    func bcrypt() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                """
                const bcrypt = require('bcrypt');
                const hash = await bcrypt.hash('password', 4);
                const failures = [];
                try { await bcrypt.hash('password', 12); } catch (error) { failures.push(error.message); }
                try { await bcrypt.compare('password', hash.replace('$04$', '$14$')); }
                catch (error) { failures.push(error.message); }
                const matches = [await bcrypt.compare('password', hash), await bcrypt.compare('wrong', hash),
                  await bcrypt.compare('password', '$argon2id$v=19$m=65536,t=16,p=1$AAAA$AAAA')];
                await bcrypt.hash('password', 4);
                try { await bcrypt.hash('password', 4); } catch (error) { failures.push(error.message); }
                api.idToken.setCustomClaim('matches', matches);
                api.idToken.setCustomClaim('failures', failures);
                """)
            let claims = try Self.idToken(try await RelyingParty.regularWebApp(server).tokens())
            #expect(claims["matches"] == [true, false, false])
            let failures = claims["failures"]?.array?.compactMap(\.string) ?? []
            #expect(failures.count == 3 && failures.prefix(2).allSatisfy { $0.contains("4 to 10 rounds") })
            #expect(failures.last?.contains("4 hashes and comparisons at most") == true)
        }
    }
}
