import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Rules")
struct RuleTests {
    /// The ID token's claims after a login with a rule of this body.
    private static func idToken(
        _ body: String, _ server: TestServer, _ changes: [String: String?] = [:]
    ) async throws -> JSONObject {
        try await server.addRule("function (user, context, callback) {\n\(body)\ncallback(null, user, context); }")
        let tokens = try await RelyingParty.regularWebApp(server).tokens(changes)
        return try #require(tokens["id_token"]?.string).claims
    }

    @Test("A rule sees the user with identities and metadata, whose members stand beside the profile's")
    func user() async throws {
        var fixtures = Fixtures()
        fixtures.users[0].0.appMetadata = ["plan": "gold", "user_id": "auth0|somebody-else"]
        fixtures.users[0].0.userMetadata = ["color": "blue"]
        try await ScriptedTenant.run(fixtures) { server in
            let seen = try await Self.idToken("context.idToken['https://x/user'] = user;", server)["https://x/user"]?
                .object
            let user = try #require(seen)
            #expect(user["user_id"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa" && user["email"] == "ada@example.com")
            #expect(user["email_verified"] == true && user["name"] == "Ada Lovelace" && user["plan"] == "gold")
            #expect(user["app_metadata"]?.object?["plan"] == "gold")
            #expect(user["user_metadata"] == ["color": "blue"])
            let identity = user["identities"]?.array?.first?.object
            #expect(identity?["provider"] == "auth0" && identity?["user_id"] == "aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(identity?["connection"] == "Username-Password-Authentication" && identity?["isSocial"] == false)
            #expect(user["created_at"]?.string?.hasSuffix("Z") == true)
        }
    }

    @Test("A rule sees the context with the application, the connection, the request and how the user signed in")
    func context() async throws {
        try await ScriptedTenant.run { server in
            let claims = try await Self.idToken(
                "context.idToken['https://x/context'] = JSON.parse(JSON.stringify(context));", server,
                ["login_hint": "ada@example.com", "scope": "openid"])
            let context = try #require(claims["https://x/context"]?.object)
            #expect(context["clientID"] == "regular-web-app" && context["clientName"] == "Regular Web App")
            #expect(context["connection"] == "Username-Password-Authentication")
            #expect(context["connectionStrategy"] == "auth0" && context["connectionID"] == "con_0123456789abcdef")
            #expect(context["protocol"] == "oidc-basic-profile" && context["tenant"] == "login")
            #expect(context["stats"]?.object?["loginsCount"] == 1)
            #expect(context["sso"]?.object?["with_dbconn"] == true)
            #expect(context["authorization"]?.object?["roles"] == [])
            let method = context["authentication"]?.object?["methods"]?.array?.first?.object
            #expect(method?["name"] == "pwd" && method?["timestamp"]?.integer ?? 0 > 1_000_000_000_000)
            let request = context["request"]?.object
            #expect(request?["hostname"] == "login.example.com")
            #expect(request?["query"]?.object?["login_hint"] == "ada@example.com")
            #expect(request?["query"]?.object?["response_type"] == "code")
            #expect(context["sessionID"]?.string?.isEmpty == false)
        }
    }

    @Test("Rules run in their order, each with what the one before has made of user and context")
    func order() async throws {
        try await ScriptedTenant.run { server in
            for name in ["a", "b", "c"] {
                try await server.addRule(
                    """
                    function (user, context, callback) {
                      context.seen = (context.seen || '') + '\(name)' + (user.extra || '');
                      user.extra = (user.extra || 0) + 1;
                      context.idToken['https://x/seen'] = context.seen;
                      callback(null, user, context);
                    }
                    """, name: name)
            }
            try await server.addRule("this is no rule", name: "off", isEnabled: false)
            let tokens = try await RelyingParty.regularWebApp(server).tokens()
            #expect(try #require(tokens["id_token"]?.string).claims["https://x/seen"] == "ab1c2")
            // What a rule makes of the user is for the rules after it.
            let user = try await server.services.stores.users.find("auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(user?.profile["extra"] == nil && user?.appMetadata.isEmpty == true)
        }
    }

    @Test("Names that are the server's are left out of the tokens, as are Auth0's, null and what the scope hides")
    func reservedClaims() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(
                """
                function (user, context, callback) {
                  for (const bag of [context.idToken, context.accessToken]) {
                    for (const name of ['iss', 'sub', 'aud', 'azp', 'exp', 'scope2', 'gty', 'permissions', 'cnf', 'act',
                      'https://my.auth0.com/x', 'http://webtask.io/x', 'org_id', 'jti', 'client_id', 'claims']) {
                      bag[name] = 'forged';
                    }
                    bag.nothing = null;
                    bag.plain = { nested: [1, 2.5, true, 'é'] };
                    bag.name = 'Somebody';
                    bag.email = 'somebody@example.com';
                  }
                  callback(null, user, context);
                }
                """)
            let tokens = try await RelyingParty.regularWebApp(server).tokens([
                "scope": "openid profile", "audience": "appointments:api",
            ])
            for name in ["id_token", "access_token"] {
                let claims = try #require(tokens[name]?.string).claims
                #expect(claims.values.filter { $0 == "forged" }.count == 1 && claims["scope2"] == "forged")
                #expect(claims["sub"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa" && claims["nothing"] == nil)
                #expect(claims["plain"] == ["nested": [1, 2.5, true, "é"]])
                #expect(claims["name"] == "Somebody" && claims["email"] == nil)
            }
        }
    }

    @Test("Who calls back with an error denies: access_denied, or unauthorized for an UnauthorizedError")
    func denial() async throws {
        for (thrown, code, status) in [
            ("new Error('Not on Sundays')", "access_denied", 403),
            ("new UnauthorizedError('Not on Sundays')", "unauthorized", 401),
            ("'Not on Sundays'", "access_denied", 403),
        ] {
            var fixtures = ScriptedTenant.everyGrant
            fixtures.settings.wireDialect = .auth0
            try await ScriptedTenant.run(fixtures, isDevelopment: false) { server in
                try await server.addRule("function (user, context, callback) { callback(\(thrown)); }")
                let party = RelyingParty.regularWebApp(server)
                let refusal = server.refusal(try await party.authorize(TestBrowser(server)))
                #expect(refusal.error == code && refusal.description == "Not on Sundays")
                let fragment = AuthorizationAnswer(
                    try await party.authorize(
                        TestBrowser(server), ["response_type": "id_token", "nonce": "n", "response_mode": "form_post"]))
                #expect(fragment["error"] == code && fragment["state"] == "xyzABC123")
                let password = try await PasswordGrantTests.logIn(party)
                #expect(password.status.code == status)
                #expect(try password.json()["error"] == .string(code))
            }
        }
    }

    @Test("A rule that throws, never calls back or gives back nonsense lets nobody in; the log says which, and where")
    func failures() async throws {
        for (body, cause) in [
            ("\n\nuser.nothing.at.all;", "line 3: TypeError"), ("setTimeout(() => { null.x; }, 1);", "TypeError"),
            ("return;", "never ended"), ("callback(null, 7, context);", "must be objects"),
            ("context.accessToken.scope = [1]; callback(null, user, context);", "scope must be a list"),
            (
                "context.multifactor = { provider: 'duo' }; callback(null, user, context);",
                "context.multifactor.provider"
            ),
            ("context.idToken.x = JSON.parse('{\"__proto__\": 1}'); callback(null, user, context);", "__proto__"),
            ("context.idToken.big = 'x'.repeat(110000); callback(null, user, context);", "more than 100 KB"),
        ] {
            try await ScriptedTenant.run { server in
                try await server.addRule("function (user, context, callback) {\(body)\n}", name: "Faulty")
                let refusal = server.refusal(
                    try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server)))
                #expect(refusal.error == "access_denied" && refusal.description.contains("failed"), "\(body)")
                let event = try #require(try await server.logEvents().last { $0.type == "actions_execution_failed" })
                #expect(event.description?.contains(cause) == true, "\(body): \(event.description ?? "")")
                #expect(event.details["scripts"]?.array?.first?.object?["name"] == "rule Faulty")
                #expect(try await server.logTypes().contains("f"))
            }
        }
    }

    @Test("In production the application hears that a script failed, and not which or why")
    func production() async throws {
        try await ScriptedTenant.run(isDevelopment: false) { server in
            try await server.addRule("function (user) { throw new Error('the secret cause'); }", name: "Hidden")
            let refusal = server.refusal(try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server)))
            #expect(refusal.error == "access_denied" && refusal.description == "A script of the tenant failed.")
        }
    }

    @Test("What a rule writes to its console, and what it used, is a log event")
    func console() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(
                "function (user, context, callback) { console.log('hello', user.email); callback(null, user, context); }",
                name: "Talks")
            _ = try await RelyingParty.regularWebApp(server).tokens()
            let event = try #require(try await server.logEvents().last { $0.type == "scripts_executed" })
            let run = try #require(event.details["scripts"]?.array?.first?.object)
            #expect(run["name"] == "rule Talks" && run["console"] == ["log: hello ada@example.com"])
            #expect(run["duration_ms"] != nil && run["cpu_ms"] != nil && run["error"] == nil)
            #expect(event.userID == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa" && event.clientID == "regular-web-app")
        }
    }

    @Test("configuration has the values that rules-configs seal, and auth0.users writes metadata down")
    func environment() async throws {
        try await ScriptedTenant.run { server in
            _ = try await ManagementClient(server).send(.put, "rules-configs/PLAN", ["value": "silver"])
            try await server.addRule(
                """
                function (user, context, callback) {
                  user.app_metadata = user.app_metadata || {};
                  user.app_metadata.plan = configuration.PLAN;
                  auth0.users.updateAppMetadata(user.user_id, user.app_metadata)
                    .then(() => auth0.users.updateUserMetadata(user.user_id, { color: 'red' }))
                    .then(() => { context.idToken['https://x/plan'] = user.app_metadata.plan; callback(null, user, context); })
                    .catch(callback);
                }
                """)
            let tokens = try await RelyingParty.regularWebApp(server).tokens()
            #expect(try #require(tokens["id_token"]?.string).claims["https://x/plan"] == "silver")
            let user = try await server.services.stores.users.find("auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(user?.appMetadata == ["plan": "silver"] && user?.userMetadata == ["color": "red"])
        }
    }
}
