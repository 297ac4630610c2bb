import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("prompt=select_account (OpenID Connect Core §3.1.2.1)")
struct AccountSelectionTests {
    private static let path = "/u/select-account?state="

    /// A browser in which Ada has signed in.
    private static func browser(_ party: RelyingParty) async throws -> TestBrowser {
        let browser = TestBrowser(party.server)
        #expect(try await party.authorize(browser).query("code") != nil)
        return browser
    }

    @Test("The user is shown the session's account, and goes on with it without a password")
    func goOn() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = try await Self.browser(party)
            server.clock.advance(by: 100)
            let asked = try await browser.get(party.authorizationURL(["prompt": "select_account"]))
            #expect(asked.location?.hasPrefix(Self.path) == true)
            let page = try await browser.get(asked.location ?? "")
            #expect(page.status == .ok)
            #expect(page.text.contains("Continue as Ada Lovelace"))
            #expect(page.text.contains("ada@example.com") && page.text.contains("Use another account"))
            let answer = try await browser.follow(browser.submit(asked, [("action", "continue")]))
            let tokens = try await party.redeem(answer.query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["sub"]?.string == User.ada.id)
            // The choice was for that request alone.
            let again = try await browser.get(party.authorizationURL(["prompt": "select_account"]))
            #expect(again.location?.hasPrefix(Self.path) == true)
        }
    }

    @Test("Another account is one that logs in; the session is that account's afterwards")
    func another() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = try await Self.browser(party)
            let asked = try await browser.get(party.authorizationURL(["prompt": "select_account"]))
            let login = try await browser.follow(browser.submit(asked, [("action", "another")]))
            #expect(login.location?.hasPrefix("/u/login?") == true)
            let answer = try await browser.logIn(login, email: "grace@example.com", password: User.gracePassword)
            let tokens = try await party.redeem(answer.query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["sub"]?.string == User.grace.id)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            let next = try await party.redeem(silent.query("code") ?? "").json()
            #expect(next["id_token"]?.string?.claims["sub"]?.string == User.grace.id)
        }
    }

    @Test("Without a session there is nothing to choose: the login page, with the login_hint")
    func noSession() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = TestBrowser(server)
            let asked = try await browser.get(
                party.authorizationURL(["prompt": "select_account", "login_hint": "ada@example.com"]))
            #expect(asked.location?.hasPrefix("/u/login?") == true)
            #expect(try await browser.get(asked.location ?? "").text.contains(#"value="ada@example.com""#))
            // The page of a choice that is none any more goes on.
            let choice = (asked.location ?? "").replacing("/u/login", with: "/u/select-account")
            let next = try await browser.follow(browser.get(choice))
            #expect(next.location?.hasPrefix("/u/login?") == true)
            #expect(try await browser.logIn(asked, password: User.adaPassword).query("code") != nil)
        }
    }

    @Test("The login page begins with the chosen account, or with the hint, but not with the account turned down")
    func suggestions() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = try await Self.browser(party)
            for (prompt, hint, action, address) in [
                ("select_account login", nil, "continue", "ada@example.com"),
                ("select_account login", "grace@example.com", "continue", "ada@example.com"),
                ("select_account", "grace@example.com", "another", "grace@example.com"),
                ("select_account", "Ada@example.com", "another", ""), ("select_account", nil, "another", ""),
            ] as [(String, String?, String, String)] {
                let asked = try await browser.get(
                    party.authorizationURL(["prompt": prompt, "login_hint": hint]))
                let login = try await browser.follow(browser.submit(asked, [("action", action)]))
                #expect(login.location?.hasPrefix("/u/login?") == true)
                let page = try await browser.get(login.location ?? "")
                let field = page.text.firstMatch(of: /name="username"[^>]*value="([^"]*)"/)?.output.1
                #expect(field.map(String.init) == address, "\(prompt) \(hint ?? "") \(action)")
            }
        }
    }

    @Test("max_age asks the chosen account for its password all the same")
    func maxAge() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = try await Self.browser(party)
            server.clock.advance(by: 100)
            let asked = try await browser.get(
                party.authorizationURL(["prompt": "select_account", "max_age": "10"]))
            let login = try await browser.follow(browser.submit(asked, [("action", "continue")]))
            #expect(login.location?.hasPrefix("/u/login?") == true)
            #expect(try await browser.logIn(login, password: User.adaPassword).query("code") != nil)
        }
    }

    @Test("A form without this browser's token, or of another session than the browser's, chooses nothing")
    func forged() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = try await Self.browser(party)
            let asked = try await browser.get(party.authorizationURL(["prompt": "select_account"]))
            let page = asked.location ?? ""
            let fields = TestBrowser.hiddenFields(try await browser.get(page).text)
            let forged = try await browser.post(
                page, fields.filter { $0.0 != "_csrf" } + [("_csrf", "x"), ("action", "continue")])
            #expect(forged.status == .forbidden)
            let unknown = try await browser.post(page, fields + [("action", "delete")])
            #expect(unknown.status == .badRequest)
            // Meanwhile Grace signs in in this browser: whoever was shown Ada does not go on as her.
            let other = try await browser.get(party.authorizationURL(["prompt": "login"]))
            _ = try await browser.logIn(other, email: "grace@example.com", password: User.gracePassword)
            let stale = try await browser.post(page, fields + [("action", "continue")])
            #expect(stale.status == .forbidden && stale.text.contains("Continue as grace@example.com"))
            #expect(try await browser.submit(asked, [("action", "continue")]).status == .found)
            let stranger = try await TestBrowser(server).get(page)
            #expect(stranger.status == .badRequest)
        }
    }

    @Test("prompt=none beside it is refused; an id_token_hint of another user goes to the login page")
    func combinations() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let browser = try await Self.browser(party)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none select_account"]))
            #expect(silent.query("error") == "invalid_request")
            let other = TestBrowser(server)
            let start = try await other.get(party.authorizationURL())
            let grace = try await other.logIn(start, email: "grace@example.com", password: User.gracePassword)
            let hint = try await party.redeem(grace.query("code") ?? "").json()["id_token"]?.string
            let asked = try await browser.get(
                party.authorizationURL(["prompt": "select_account", "id_token_hint": hint]))
            #expect(asked.location?.hasPrefix("/u/login?") == true)
        }
    }

    @Test("RFC 7591 §2.2: pages name the client in the first of ui_locales that it has registered")
    func localizedNames() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(
                server,
                [
                    "client_name": "Weather", "client_name#de": "Wetter", "client_name#fr-CA": "Météo",
                    "policy_uri": "https://app.example.com/policy",
                    "policy_uri#DE": "https://app.example.com/de/policy",
                    "tos_uri": "https://app.example.com/terms", "logo_uri#de": "https://app.example.com/de.png",
                ])
            // Each member by itself: what there is not in French may be there in German.
            for (locales, name, policy) in [
                (nil, "Weather", "policy"), ("it", "Weather", "policy"), ("de-AT", "Wetter", "de/policy"),
                ("it DE", "Wetter", "de/policy"), ("fr-ca de", "Météo", "de/policy"), ("fr", "Weather", "policy"),
            ] as [(String?, String, String)] {
                let browser = TestBrowser(server)
                let asked = try await browser.get(client.party.authorizationURL(["ui_locales": locales]))
                let login = try await browser.get(asked.location ?? "").text
                let consent = try await browser.logIn(asked, password: User.adaPassword)
                let decision = try await browser.get(consent.location ?? "").text
                for page in [login, decision] {
                    #expect(page.contains(name), "\(locales ?? "")")
                    #expect(page.contains(#"href="https://app.example.com/\#(policy)""#), "\(locales ?? "")")
                    #expect(page.contains(#"href="https://app.example.com/terms""#))
                    #expect(page.contains("de.png") == (policy == "de/policy"))
                }
            }
        }
    }
}
