import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The scripts of the tutorials as they stand there.
@Suite("The tutorials' rule and action change tokens as they say")
struct SeedScriptTests {
    private static let rule = """
        function(user, context, callback) {
          // add custom claims to Access Token and ID Token
          context.accessToken['http://foo/bar'] = 'value';
          context.idToken['http://fiz/baz'] = 'some other value';
          // change scope
          context.accessToken.scope = ['array', 'of', 'strings'];
          callback(null, user, context);
        }
        """

    private static let action = """
        exports.onExecutePostLogin = async (event, api) => {
          // Add custom claims to Access Token and ID Token
          api.accessToken.setCustomClaim('https://foo/bar', 'value');
          api.idToken.setCustomClaim('https://fiz/baz', 'some other value');
          // Modify the scope of the Access Token
          api.accessToken.addScope('foo');
          api.accessToken.addScope('bar');
        };
        """

    private static func claims(_ tokens: JSONObject, _ name: String) throws -> JSONObject {
        try #require(tokens[name]?.string).claims
    }

    @Test("Customize tokens, by a rule: claims in both tokens, and the scope in the token and in the response")
    func rule() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(Self.rule)
            let tokens = try await RelyingParty.regularWebApp(server).tokens([
                "audience": "appointments:api", "scope": "openid profile appointments",
            ])
            #expect(tokens["scope"] == "array of strings")
            let (access, id) = (try Self.claims(tokens, "access_token"), try Self.claims(tokens, "id_token"))
            #expect(access["http://foo/bar"] == "value" && access["http://fiz/baz"] == nil)
            #expect(access["scope"] == "array of strings")
            #expect(id["http://fiz/baz"] == "some other value" && id["http://foo/bar"] == nil)
            #expect(id["name"] == "Ada Lovelace" && id["sub"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
        }
    }

    @Test("Customize tokens, by an action: what it adds comes on top of what was granted")
    func action() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind([(name: "Customize tokens", code: Self.action)])
            let tokens = try await RelyingParty.regularWebApp(server).tokens([
                "audience": "appointments:api", "scope": "openid profile appointments",
            ])
            #expect(tokens["scope"] == "openid profile appointments foo bar")
            let (access, id) = (try Self.claims(tokens, "access_token"), try Self.claims(tokens, "id_token"))
            #expect(access["https://foo/bar"] == "value" && access["https://fiz/baz"] == nil)
            #expect(access["scope"] == "openid profile appointments foo bar")
            #expect(id["https://fiz/baz"] == "some other value")
        }
    }

    @Test("Rules come before actions, whatever came first into the tenant")
    func both() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind([(name: "Customize tokens", code: Self.action)])
            try await server.addRule(Self.rule)
            let tokens = try await RelyingParty.regularWebApp(server).tokens(["audience": "appointments:api"])
            #expect(tokens["scope"] == "array of strings foo bar")
            let access = try Self.claims(tokens, "access_token")
            #expect(access["http://foo/bar"] == "value" && access["https://foo/bar"] == "value")
        }
    }

    @Test("OpenID Connect Core §5.3: the userinfo endpoint tells the ID token's claims as well, of a signed token too")
    func userInfo() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(Self.rule)
            let party = RelyingParty.regularWebApp(server)
            for (audience, hasOwn) in [("appointments:api", false), (nil, true)] as [(String?, Bool)] {
                let tokens = try await party.tokens(["audience": audience, "scope": "openid email"])
                #expect(tokens["scope"] == "array of strings")
                let token = try #require(tokens["access_token"]?.string)
                let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
                #expect(answer.status == .ok)
                let claims = try answer.json()
                #expect(claims["http://fiz/baz"] == "some other value")
                // An opaque token says nothing itself.
                #expect((claims["http://foo/bar"] == "value") == hasOwn)
            }
        }
    }

    @Test(
        "context.protocol and transaction.protocol name the flow, and every flow's tokens are changed",
        arguments: [
            (["response_type": "code"], "oidc-basic-profile"),
            (["response_type": "code id_token token", "nonce": "n"], "oidc-hybrid-profile"),
            (["response_type": "id_token token", "nonce": "n"], "oidc-implicit-profile"),
        ] as [([String: String], String)])
    func protocols(_ changes: [String: String], _ name: String) async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            try await server.addRule(
                "function (user, context, callback) { context.idToken.rule = context.protocol; "
                    + "context.accessToken.rule = context.protocol; callback(null, user, context); }")
            try await server.bind("api.idToken.setCustomClaim('action', event.transaction.protocol);")
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let optional = changes.mapValues { Optional($0) }.merging(["audience": "appointments:api"]) { $1 }
            let answer = AuthorizationAnswer(try await party.authorize(browser, optional))
            if let token = answer["id_token"] {
                #expect(token.claims["rule"] == .string(name) && token.claims["action"] == .string(name))
            }
            if let token = answer["access_token"] { #expect(token.claims["rule"] == .string(name)) }
            if let code = answer["code"] {
                // What the scripts said at the authorization endpoint counts: nothing runs at the redemption.
                _ = try await ManagementClient(server).patch(
                    "actions/triggers/post-login/bindings", ["bindings": []])
                let tokens = try await party.redeem(code).json()
                let id = try Self.claims(tokens, "id_token")
                #expect(id["rule"] == .string(name) && id["action"] == .string(name))
                #expect(try Self.claims(tokens, "access_token")["rule"] == .string(name))
            }
            let silent = AuthorizationAnswer(
                try await browser.get(party.authorizationURL(optional.merging(["prompt": "none"]) { $1 })))
            #expect(silent["error"] == nil)
        }
    }

    @Test("Refresh tokens, passwords and devices have protocols of their own, and scripts run anew for each refresh")
    func otherFlows() async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            let id = try await server.addRule(
                "function (user, context, callback) { context.idToken.rule = context.protocol; "
                    + "callback(null, user, context); }")
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(["scope": "openid offline_access", "audience": "appointments:api"])
            let refresh = try #require(tokens["refresh_token"]?.string)
            let refreshed = try await party.refresh(refresh).json()
            #expect(try Self.claims(refreshed, "id_token")["rule"] == "oauth2-refresh-token")
            let password = try await PasswordGrantTests.logIn(party, ["scope": "openid email"]).json()
            #expect(try Self.claims(password, "id_token")["rule"] == "oauth2-password")
            let television = RelyingParty.television(server)
            let (deviceCode, userCode) = try await DeviceFlowTests.begin(television)
            _ = try await DeviceFlowTests.letIn(TestBrowser(server), userCode)
            let device = try await DeviceFlowTests.poll(television, deviceCode).json()
            #expect(try Self.claims(device, "id_token")["rule"] == "oauth2-device-code")

            _ = try await ManagementClient(server).patch("rules/\(id)", ["enabled": false])
            let plain = try await party.refresh(try #require(refreshed["refresh_token"]?.string ?? refresh)).json()
            #expect(try Self.claims(plain, "id_token")["rule"] == nil)
        }
    }
}
