import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Rules and actions that ask for a second factor")
struct ScriptedFactorTests {
    private static func rule(_ factor: String) -> String {
        "function (user, context, callback) { context.multifactor = \(factor); callback(null, user, context); }"
    }

    @Test("context.multifactor asks for one at the end, once however many pages follow, and at the next login again")
    func rules() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(Self.rule("{ provider: 'guardian', allowRememberBrowser: false }"))
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin()
            #expect(try await !visitor.browser.get(begun.location ?? "").text.contains("rememberBrowser"))
            let (secret, _, answer) = try await visitor.enroll(begun)
            #expect(answer.query("code") != nil)
            let silent = try await visitor.browser.get(visitor.party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "login_required")
            server.clock.advance(by: 30)
            let again = try await visitor.begin()
            #expect(again.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            #expect(try await visitor.send(visitor.code(secret), again).query("code") != nil)
        }
    }

    @Test("A rule that looks at authentication.methods asks once per session, and sees who is enrolled")
    func oncePerSession() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(
                """
                function (user, context, callback) {
                  context.idToken.enrolled = user.multifactor;
                  const isDone = context.authentication.methods.some((method) => method.name === 'mfa');
                  if (!isDone) context.multifactor = { provider: 'any', allowRememberBrowser: false };
                  callback(null, user, context);
                }
                """)
            let visitor = FactorVisitor(server)
            let (_, _, answer) = try await visitor.enroll(visitor.begin())
            let claims = try await visitor.party.redeem(answer.query("code") ?? "").json()["id_token"]?.string?.claims
            #expect(claims?["enrolled"] == [] && claims?["amr"] == ["mfa"])
            let silent = try await visitor.browser.get(visitor.party.authorizationURL(["prompt": "none"]))
            let next = try await visitor.party.redeem(silent.query("code") ?? "").json()["id_token"]?.string?.claims
            #expect(next?["enrolled"] == ["guardian"] && next?["amr"] == ["mfa"])
        }
    }

    @Test("A remembered browser is enough for a rule that allows it, and not with ignoreCookie")
    func rememberedBrowser() async throws {
        try await ScriptedTenant.run { server in
            let rule = try await server.addRule(Self.rule("{ provider: 'any' }"))
            let visitor = FactorVisitor(server)
            let (_, _, answer) = try await visitor.enroll(visitor.begin(), [("rememberBrowser", "true")])
            #expect(answer.query("code") != nil)
            #expect(try await visitor.begin().query("code") != nil)
            for factor in [
                "{ provider: 'any', ignoreCookie: true }", "{ provider: 'any', allowRememberBrowser: false }",
            ] {
                _ = try await ManagementClient(server).patch("rules/\(rule)", ["script": .string(Self.rule(factor))])
                #expect(try await visitor.begin().location?.hasPrefix("/u/mfa-otp-challenge") == true)
            }
        }
    }

    @Test(
        "challengeWith pauses the actions: the next one runs after the factor, sees it, and the first does not run again"
    )
    func challenge() async throws {
        try await ScriptedTenant.run { server in
            let (secret, _) = try await FactorVisitor.enrolled(server)
            try await server.bind([
                (
                    name: "One",
                    code: "exports.onExecutePostLogin = async (event, api) => { "
                        + "const count = (event.user.app_metadata.count || 0) + 1; "
                        + "api.user.setAppMetadata('count', count); api.authentication.challengeWith({ type: 'otp' }); };"
                ),
                (
                    name: "Two",
                    code: "exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim('seen', "
                        + "[event.authentication.methods.map((method) => method.name), event.user.app_metadata.count, "
                        + "event.user.enrolledFactors.map((factor) => factor.type)]); };"
                ),
            ])
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin()
            #expect(begun.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            // The recovery code was not asked for.
            #expect(try await !visitor.browser.get(begun.location ?? "").text.contains("recovery-code"))
            let state = begun.query("state") ?? ""
            #expect(try await visitor.browser.get("/continue?state=\(state)").location == begun.location)
            let answer = try await visitor.send(visitor.code(secret), begun)
            let claims = try await visitor.party.redeem(answer.query("code") ?? "").json()["id_token"]?.string?.claims
            #expect(claims?["seen"] == [["pwd", "mfa"], 1, ["otp", "recovery-code"]])
        }
    }

    @Test("enrollWith enrols who has nothing, and challenges who has; challengeWith lets nobody in who has nothing")
    func enrollment() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind("api.authentication.challengeWithAny([{ type: 'otp' }, { type: 'email' }]);")
            let refused = server.refusal(try await FactorVisitor(server).begin())
            #expect(refused.error == "access_denied" && refused.description.contains("Multifactor"))
            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            try await server.bind(
                [
                    (
                        name: "Enrols",
                        code: "exports.onExecutePostLogin = async (event, api) => { "
                            + "api.authentication.enrollWithAny([{ type: 'otp' }, { type: 'push-notification' }]); };"
                    )
                ])
            let visitor = FactorVisitor(server)
            #expect(try await visitor.enroll(visitor.begin()).response.query("code") != nil)
            #expect(try await FactorVisitor(server).begin().location?.hasPrefix("/u/mfa-otp-challenge") == true)
        }
    }

    @Test(
        "enrollWith for a user who has an app is met by whatever factor they pass, the app's code or the recovery code")
    func enrolledAlready() async throws {
        for types in ["[{ type: 'push-notification' }]", "[{ type: 'recovery-code' }]", "[{ type: 'otp' }]"] {
            try await ScriptedTenant.run { server in
                let (secret, recoveryCode) = try await FactorVisitor.enrolled(server)
                try await server.bind("api.authentication.enrollWithAny(\(types));")
                let visitor = FactorVisitor(server)
                let begun = try await visitor.begin()
                #expect(try await visitor.send(visitor.code(secret), begun).query("code") != nil, "\(types)")
                let other = FactorVisitor(server)
                let again = try await other.begin()
                let recovery = "/u/mfa-recovery-code-challenge?state=\(again.query("state") ?? "")"
                let noted = try await other.send(recoveryCode, again, to: recovery)
                #expect(try await other.note(noted).response.query("code") != nil, "\(types)")
            }
        }
    }

    @Test("multifactor.enable asks at the end; the last word counts, and none takes it back")
    func enable() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind("api.multifactor.enable('any', { allowRememberBrowser: true });")
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin()
            #expect(try await visitor.browser.get(begun.location ?? "").text.contains("rememberBrowser"))
            #expect(begun.location?.hasPrefix("/u/mfa-otp-enrollment") == true)
            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            try await server.bind([
                (
                    name: "Second",
                    code: "exports.onExecutePostLogin = async (event, api) => { api.multifactor.enable('any'); "
                        + "api.multifactor.enable('none'); };"
                )
            ])
            #expect(try await FactorVisitor(server).begin().query("code") != nil)
        }
    }

    @Test("What this server has not fails the login: providers, factors and two demands in one action")
    func unavailable() async throws {
        for body in [
            "api.multifactor.enable('duo')", "api.authentication.challengeWith({ type: 'push' })",
            "api.authentication.challengeWithAny([])", "api.authentication.challengeWithAny(null)",
            "api.authentication.enrollWithAny()", "api.authentication.challengeWith()",
            "api.authentication.enrollWith({ type: 'email' })",
            "api.authentication.challengeWith({ type: 'email' }); api.authentication.challengeWith({ type: 'otp' })",
        ] {
            try await ScriptedTenant.run { server in
                try await server.bind("try { \(body); } catch (error) {}")
                let answer = try await FactorVisitor(server).begin()
                #expect(server.refusal(answer).error == "access_denied", "\(body)")
            }
        }
        for factor in [
            "true", "'any'", "{}", "{ provider: 'duo' }", "{ provider: 7 }",
            "{ provider: 'any', allowRememberBrowser: 'false' }", "{ provider: 'any', ignoreCookie: 1 }",
        ] {
            try await ScriptedTenant.run { server in
                try await server.addRule(Self.rule(factor))
                let answer = try await FactorVisitor(server).begin()
                #expect(server.refusal(answer).error == "access_denied", "\(factor)")
            }
        }
    }

    @Test("Without a browser what a script asks for is mfa_required: passwords, refresh tokens and silent logins")
    func withoutBrowser() async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["scope": "openid offline_access", "audience": "appointments:api"])
            let refresh = try #require(tokens["refresh_token"]?.string)
            try await server.bind("api.authentication.challengeWith({ type: 'otp' });")
            for answer in [try await PasswordGrantTests.logIn(party), try await party.refresh(refresh)] {
                #expect(answer.status == .forbidden)
                #expect(try answer.json()["error"] == "mfa_required")
            }
            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            // The refresh token is as good as before.
            #expect(try await party.refresh(refresh).status == .ok)
        }
    }
}
