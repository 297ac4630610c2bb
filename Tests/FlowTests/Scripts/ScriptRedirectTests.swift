import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Rules and actions that send users somewhere else")
struct ScriptRedirectTests {
    /// Sends the user to a page of terms with a token, and reads the token that comes back.
    private static let terms = """
        exports.onExecutePostLogin = async (event, api) => {
          if (event.user.app_metadata.accepted) return;
          const token = api.redirect.encodeToken({ secret: event.secrets.KEY, payload: { terms: 3 } });
          api.redirect.sendUserTo('https://terms.example.com/show?lang=en', { query: { session_token: token } });
          api.idToken.setCustomClaim('before', true);
        };
        exports.onContinuePostLogin = async (event, api) => {
          const claims = api.redirect.validateToken({ secret: event.secrets.KEY, tokenParameterName: 'answer' });
          if (!claims.accepted) api.access.deny('The terms were not accepted');
          api.user.setAppMetadata('accepted', claims.terms);
        };
        """
    private static let after = """
        exports.onExecutePostLogin = async (event, api) => {
          api.idToken.setCustomClaim('after', event.user.app_metadata.accepted || 0);
        };
        """

    private static func token(_ claims: JSONObject, secret: String = "terms-secret") throws -> String {
        func part(_ value: JSONObject) throws -> String { Base64URL.encode(Array(try JSON.bytes(value))) }
        let message = try "\(part(["alg": "HS256", "typ": "JWT"])).\(part(claims))"
        let signature = HMAC<SHA256>.authenticationCode(
            for: Array(message.utf8), using: SymmetricKey(data: Array(secret.utf8)))
        return "\(message).\(Base64URL.encode(Array(signature)))"
    }

    private static func begin(_ server: TestServer, _ browser: TestBrowser) async throws -> TestResponse {
        try await server.bind(
            [(name: "Terms", code: terms), (name: "After", code: after)], secrets: ["KEY": "terms-secret"])
        return try await RelyingParty.regularWebApp(server).authorize(browser)
    }

    @Test("The user goes with a signed token and the state, comes back to /continue, and the login goes on behind it")
    func action() async throws {
        try await ScriptedTenant.run { server in
            let browser = TestBrowser(server)
            let departure = try await Self.begin(server, browser)
            #expect(departure.location?.hasPrefix("https://terms.example.com/show?lang=en&session_token=") == true)
            let sent = try #require(departure.query("session_token")).claims
            #expect(sent["sub"] == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa" && sent["terms"] == 3)
            #expect(sent["iss"] == "login.example.com" && sent["exp"] != nil)
            let state = try #require(departure.query("state"))
            // Who goes on without having been there is sent there again, and nothing has run twice.
            let again = try await browser.get("/authorize/resume?state=\(state)")
            #expect(again.location == departure.location)

            let answer = try Self.token([
                "state": .string(state), "exp": 4_000_000_000, "accepted": true, "terms": 3,
                "sub": "auth0|aaaaaaaaaaaaaaaaaaaaaaaa",
            ])
            let arrival = try await browser.get("/continue?state=\(state)&answer=\(answer)")
            let code = try #require(arrival.query("code"))
            #expect(arrival.query("state") == "xyzABC123")
            let tokens = try await RelyingParty.regularWebApp(server).redeem(code).json()
            let claims = try #require(tokens["id_token"]?.string).claims
            #expect(claims["before"] == true && claims["after"] == 3)
            let user = try await server.services.stores.users.find("auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(user?.appMetadata == ["accepted": 3])
        }
    }

    @Test(
        "A token with another secret or state, or one that has expired, lets nobody in; nor does a stranger's browser")
    func badTokens() async throws {
        try await ScriptedTenant.run { server in
            let browser = TestBrowser(server)
            let departure = try await Self.begin(server, browser)
            let state = try #require(departure.query("state"))
            let good: JSONObject = ["state": .string(state), "exp": 4_000_000_000, "accepted": true, "terms": 3]
            for (claims, secret) in [
                (good, "another secret"), (good.merging(["state": "x"]) { $1 }, "terms-secret"),
                (good.merging(["exp": 1000]) { $1 }, "terms-secret"),
                (good.merging(["sub": "auth0|somebody"]) { $1 }, "terms-secret"),
            ] {
                let answer = try Self.token(claims, secret: secret)
                let refusal = server.refusal(try await browser.get("/continue?state=\(state)&answer=\(answer)"))
                #expect(refusal.error == "access_denied" && refusal.description.contains("session token is invalid"))
            }
            let answer = try Self.token(good)
            let stranger = try await TestBrowser(server).get("/continue?state=\(state)&answer=\(answer)")
            #expect(stranger.status == .badRequest)
            let denied = try Self.token(good.merging(["accepted": false]) { $1 })
            #expect(
                server.refusal(try await browser.get("/continue?state=\(state)&answer=\(denied)")).description
                    == "The terms were not accepted")
        }
    }

    @Test("A rule sends the user away once: afterwards all rules run again, with the protocol redirect-callback")
    func rule() async throws {
        try await ScriptedTenant.run { server in
            try await server.addRule(
                """
                function (user, context, callback) {
                  context.idToken.protocol = context.protocol;
                  context.idToken.answer = context.request.query.answer;
                  context.redirect = { url: 'https://terms.example.com/' };
                  callback(null, user, context);
                }
                """)
            let browser = TestBrowser(server)
            let departure = try await RelyingParty.regularWebApp(server).authorize(browser)
            #expect(departure.location?.hasPrefix("https://terms.example.com/?state=") == true)
            let state = try #require(departure.query("state"))
            let arrival = try await browser.post("/continue?state=\(state)", [("answer", "42")])
            let tokens = try await RelyingParty.regularWebApp(server).redeem(try #require(arrival.query("code"))).json()
            let claims = try #require(tokens["id_token"]?.string).claims
            #expect(claims["protocol"] == "redirect-callback" && claims["answer"] == "42")
        }
    }

    @Test("Where no browser may go, the answer is interaction_required, and canRedirect tells the action before")
    func impossible() async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            _ = try await party.authorize(browser)
            try await server.bind(
                "if (api.redirect.canRedirect() || event.client.name !== 'x') "
                    + "api.redirect.sendUserTo('https://terms.example.com/');")
            let silent = server.refusal(try await browser.get(party.authorizationURL(["prompt": "none"])))
            #expect(silent.error == "interaction_required")
            #expect(try await PasswordGrantTests.logIn(party).json()["error"] == "interaction_required")
        }
    }
}
