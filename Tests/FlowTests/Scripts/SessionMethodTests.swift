import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Actions and the cookie, methods and devices of a session, and the idle end of a refresh token")
struct SessionMethodTests {
    private static func cookie(_ response: TestResponse) -> String? {
        response.headers[values: .setCookie].first { $0.hasPrefix("auth0=") }
    }

    @Test(
        "api.session.setCookieMode has the browser keep the session's cookie, or not beyond its end; event.session says which"
    )
    func cookieMode() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                """
                const mode = event.session.cookie.mode;
                api.session.setCookieMode(mode === 'persistent' ? 'non-persistent' : 'persistent');
                api.idToken.setCustomClaim('modes', [mode, event.session.cookie.mode]);
                """)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let first = try await party.authorize(browser)
            let secret = browser.cookies["auth0"]
            let ephemeral = try #require(Self.cookie(first))
            #expect(!ephemeral.contains("Max-Age") && ephemeral.contains("HttpOnly"))
            let tokens = try await party.redeem(try #require(first.query("code"))).json()
            #expect(tokens["id_token"]?.string?.claims["modes"] == ["persistent", "non-persistent"])

            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            let kept = try #require(Self.cookie(silent))
            let rest = try #require(kept.firstMatch(of: /Max-Age=([0-9]+)/).flatMap { Int($0.1) })
            #expect(rest > 600_000 && rest <= server.settingsLifetime)
            // It is the same session.
            #expect(browser.cookies["auth0"] == secret)
            let again = try await party.redeem(try #require(silent.query("code"))).json()
            #expect(again["id_token"]?.string?.claims["modes"] == ["non-persistent", "persistent"])
        }
    }

    @Test("A cookie mode that there is not fails the login; where no script asks, the cookie is left alone")
    func noCookieMode() async throws {
        try await ScriptedTenant.run { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            _ = try await party.authorize(browser)
            #expect(Self.cookie(try await browser.get(party.authorizationURL(["prompt": "none"]))) == nil)
            try await server.bind("api.session.setCookieMode('eternal');")
            let refusal = server.refusal(try await browser.get(party.authorizationURL(["prompt": "none"])))
            #expect(refusal.error == "access_denied" && refusal.description.contains("'non-persistent'"))
        }
    }

    @Test(
        "api.authentication.recordMethod, once the user has come back, is in the methods of the session's later logins")
    func recordedMethod() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind([
                (
                    name: "Quiz",
                    code: """
                    const url = 'https://quiz.example.com/passed';
                    exports.onExecutePostLogin = async (event, api) => {
                      api.idToken.setCustomClaim('methods', event.authentication.methods.map((one) => one.name));
                      if (!event.authentication.methods.some((one) => one.name === url)) {
                        api.redirect.sendUserTo('https://quiz.example.com/');
                      }
                    };
                    exports.onContinuePostLogin = async (event, api) => {
                      api.authentication.recordMethod(url);
                    };
                    """
                )
            ])
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let departure = try await party.authorize(browser)
            let state = try #require(departure.query("state"))
            let arrival = try await browser.follow(browser.get("/continue?state=\(state)"))
            #expect(arrival.query("code") != nil)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            let tokens = try await party.redeem(try #require(silent.query("code"))).json()
            #expect(tokens["id_token"]?.string?.claims["methods"] == ["pwd", "https://quiz.example.com/passed"])
            // Another browser's session knows nothing of it.
            let other = try await party.authorize(TestBrowser(server))
            #expect(other.location?.hasPrefix("https://quiz.example.com/") == true)
        }
    }

    @Test("recordMethod before the user was sent anywhere, or with what is no address, fails the login")
    func refusedMethod() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind("api.authentication.recordMethod('https://quiz.example.com/');")
            let refusal = server.refusal(try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server)))
            #expect(refusal.error == "access_denied" && refusal.description.contains("onContinuePostLogin"))
        }
    }

    @Test("api.refreshToken.setIdleExpiresAt ends a token that nobody uses before; a use does away with that end")
    func idleExpiry() async throws {
        try await ScriptedTenant.run(ScriptedTenant.everyGrant) { server in
            let party = RelyingParty.regularWebApp(server)
            try await server.bind(
                """
                const now = new Date(event.session.last_interacted_at);
                if (!event.refresh_token || event.request.body.scope === 'openid') {
                  api.refreshToken.setIdleExpiresAt(now.getTime() + 600000);
                }
                api.idToken.setCustomClaim('idle', (event.refresh_token || {}).idle_expires_at || 'none');
                """)
            func token() async throws -> String {
                try #require(try await party.tokens(["scope": "openid offline_access"])["refresh_token"]?.string)
            }
            let unused = try await token()
            server.clock.advance(by: 601)
            #expect(try await party.refresh(unused).json()["error"] == "invalid_grant")

            let used = try await token()
            server.clock.advance(by: 300)
            let first = try await party.refresh(used).json()
            #expect(first["id_token"]?.string?.claims["idle"] != "none")
            server.clock.advance(by: 900)
            let second = try await party.refresh(used).json()
            #expect(second["id_token"]?.string?.claims["idle"] == "none")
        }
    }

    @Test("event.session.device and event.refresh_token.device tell from where each began and was used last")
    func devices() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                """
                api.idToken.setCustomClaim('session', event.session.device);
                api.idToken.setCustomClaim('token', event.refresh_token ? event.refresh_token.device : null);
                """)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            browser.userAgent = "First/1.0"
            let arrival = try await party.authorize(browser, ["scope": "openid offline_access"])
            let headers: HTTPFields = [.userAgent: "App/1.0"]
            let tokens = try await party.redeem(try #require(arrival.query("code")), headers: headers).json()
            let began = try #require(tokens["id_token"]?.string?.claims["session"]?.object)
            #expect(began["initial_user_agent"] == "First/1.0" && began["last_user_agent"] == "First/1.0")

            server.clock.advance(by: 120)
            browser.userAgent = "Second/2.0"
            _ = try await browser.get(party.authorizationURL(["prompt": "none"]))
            let refresh = try #require(tokens["refresh_token"]?.string)
            _ = try await party.refresh(refresh, headers: [.userAgent: "App/2.0"])
            let claims = try await party.refresh(refresh).json()["id_token"]?.string?.claims ?? [:]
            #expect(claims["session"]?.object?["initial_user_agent"] == "First/1.0")
            #expect(claims["session"]?.object?["last_user_agent"] == "Second/2.0")
            #expect(claims["token"]?.object?["initial_user_agent"] == "App/1.0")
            #expect(claims["token"]?.object?["last_user_agent"] == "App/2.0")
        }
    }
}

extension TestServer {
    /// Seconds that a session lasts at most: Auth0's week.
    fileprivate var settingsLifetime: Int { 168 * 3600 }
}
