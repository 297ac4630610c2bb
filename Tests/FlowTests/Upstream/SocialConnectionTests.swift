import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Social connections")
struct SocialConnectionTests {
    static func fixtures(_ strategy: String, _ options: JSONObject = [:]) -> Fixtures {
        var fixtures = Fixtures()
        var connection = Connection(id: "con_social0000000000", name: strategy, strategy: strategy)
        connection.enabledClients = ["regular-web-app"]
        connection.options = ["client_id": "portico"].merging(options) { $1 }
        fixtures.connections.append(connection)
        fixtures.connectionSecrets = [strategy: ["client_secret": "upstream-secret"]]
        return fixtures
    }

    private static let octocat: JSONValue = [
        "login": "octocat", "id": 583231, "avatar_url": "https://github.com/images/error/octocat_happy.gif",
        "name": "monalisa octocat", "company": "GitHub", "blog": "https://github.com/blog", "email": .null,
        "html_url": "https://github.com/octocat", "type": "User", "site_admin": false,
    ]
    private static let emails: JSONValue = [
        ["email": "public@example.com", "verified": true, "primary": false, "visibility": "public"],
        ["email": "octocat@github.com", "verified": true, "primary": true, "visibility": "private"],
    ]

    private static func gitHub(_ base: String = "https://github.com", api: String = "https://api.github.com") throws
        -> SimulatedWeb
    {
        let web = SimulatedWeb()
        try web.publish(
            [
                "access_token": "gho_16C7e42F292c6912E7710c838347Ae178B4a", "scope": "user:email",
                "token_type": "bearer",
            ],
            at: "\(base)/login/oauth/access_token")
        try web.publish(octocat, at: "\(api)/user")
        try web.publish(emails, at: "\(api)/user/emails")
        return web
    }

    @Test("Tutorial: connection=github goes straight to GitHub, and the user is github|ID with GitHub's profile")
    func gitHub() async throws {
        let web = try Self.gitHub()
        try await TestServer.run(Self.fixtures("github"), outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "github"])
            #expect(departure.location?.hasPrefix("https://github.com/login/oauth/authorize?") == true)
            #expect(departure.query("scope") == "user:email")
            #expect(departure.query("redirect_uri") == "https://login.example.com/login/callback")
            let answer = try await UpstreamLoginTests.arrive(browser, departure, "code=4b6f")
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == "github|583231")
            #expect(claims["nickname"] == "octocat")
            #expect(claims["name"] == "monalisa octocat")
            #expect(claims["picture"] == "https://github.com/images/error/octocat_happy.gif")
            #expect(claims["email"] == "octocat@github.com")
            #expect(claims["email_verified"] == true)
            let user = try #require(try await server.services.stores.users.find("github|583231"))
            #expect(user.profile["company"] == "GitHub")
            #expect(user.profile["html_url"] == "https://github.com/octocat")
            let asked = try #require(web.requests.last { $0.url.hasSuffix("/user") })
            #expect(asked.headers.contains { $0.name == "Authorization" && $0.value.hasPrefix("Bearer gho_") })
        }
    }

    @Test("GitHub Enterprise: another base URL, and ids of its own where the connection has another name")
    func gitHubEnterprise() async throws {
        let web = try Self.gitHub("https://git.acme.example", api: "https://git.acme.example/api/v3")
        var fixtures = Self.fixtures("github", ["base_url": "https://git.acme.example/"])
        fixtures.connections[1].name = "acme-git"
        fixtures.connectionSecrets = ["acme-git": ["client_secret": "upstream-secret"]]
        try await TestServer.run(fixtures, outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "acme-git"])
            #expect(departure.location?.hasPrefix("https://git.acme.example/login/oauth/authorize?") == true)
            _ = try await UpstreamLoginTests.arrive(browser, departure, "code=4b6f")
            #expect(try await server.services.stores.users.find("github|acme-git|583231") != nil)
        }
    }

    @Test("GitHub: without user:email the address is unverified, and GitHub's errors reach the application as ours")
    func gitHubFailures() async throws {
        let web = try Self.gitHub()
        try await TestServer.run(Self.fixtures("github"), outbound: web) { server in
            web.put(#"{"message": "Not Found"}"#, at: "https://api.github.com/user/emails", status: 404)
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "github"])
            #expect(try await UpstreamLoginTests.arrive(browser, departure, "code=4b6f").query("code") != nil)
            let user = try #require(try await server.services.stores.users.find("github|583231"))
            #expect(user.email == nil && !user.isEmailVerified)

            try web.publish(
                ["error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."],
                at: "https://github.com/login/oauth/access_token")
            let other = TestBrowser(server)
            let again = try await UpstreamLoginTests.depart(other, ["connection": "github"])
            let answer = try await UpstreamLoginTests.arrive(other, again, "code=4b6f")
            #expect(answer.query("error") == "server_error")
            #expect(other.cookies["auth0"] == nil)
        }
    }

    @Test("GitHub: an outage where addresses are asked for ends the login, and leaves the user's address alone")
    func gitHubOutage() async throws {
        let web = try Self.gitHub()
        try await TestServer.run(Self.fixtures("github"), outbound: web) { server in
            web.put("{}", at: "https://api.github.com/user/emails", status: 503)
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "github"])
            let answer = try await UpstreamLoginTests.arrive(browser, departure, "code=4b6f")
            #expect(answer.query("error") == "temporarily_unavailable")
            #expect(try await server.services.stores.users.find("github|583231") == nil)
        }
    }

    @Test("RFC 9207 §2.4: an answer that names another issuer is refused before its code is shown to anybody")
    func issuer() async throws {
        let web = try Self.gitHub()
        try await TestServer.run(Self.fixtures("github"), outbound: web) { server in
            for (issuer, isGood) in [("https://evil.example.com", false), ("https://github.com/login/oauth", true)] {
                let browser = TestBrowser(server)
                let departure = try await UpstreamLoginTests.depart(browser, ["connection": "github"])
                let answer = try await UpstreamLoginTests.arrive(browser, departure, "code=4b6f&iss=\(issuer)")
                #expect((answer.query("code") != nil) == isGood)
                #expect(web.requests.isEmpty != isGood)
            }
        }
    }

    @Test("Google: access_type goes along, and a token of Google's issuer is needed")
    func google() async throws {
        let web = SimulatedWeb()
        let key = try ForeignKey.rsa()
        try web.put([key], at: "https://www.googleapis.com/oauth2/v3/certs")
        try await TestServer.run(Self.fixtures("google-oauth2"), outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(
                browser, ["connection": "google-oauth2", "access_type": "offline", "login_hint": "ada@gmail.com"])
            #expect(departure.location?.hasPrefix("https://accounts.google.com/o/oauth2/v2/auth?") == true)
            #expect(departure.query("access_type") == "offline")
            #expect(departure.query("login_hint") == "ada@gmail.com")
            let now = Int64(server.clock.now.timeIntervalSince1970)
            let token = try key.token([
                "iss": "https://accounts.google.com", "aud": "portico", "sub": "1076", "iat": .integer(now),
                "exp": .integer(now + 300), "nonce": .string(departure.query("nonce") ?? ""),
                "email": "ada@gmail.com", "email_verified": true, "name": "Ada",
            ])
            try web.publish(
                ["access_token": "ya29", "refresh_token": "1//", "id_token": .string(token)],
                at: "https://oauth2.googleapis.com/token")
            #expect(try await UpstreamLoginTests.arrive(browser, departure, "code=4%2F0").query("code") != nil)
            #expect(try await server.services.stores.users.find("google-oauth2|1076")?.isEmailVerified == true)
        }
    }

    @Test("RFC 9207 §2.4: a custom provider that is known by its issuer has answers in that name, and in no other")
    func customIssuer() async throws {
        let web = SimulatedWeb()
        try web.publish(["access_token": "abc"], at: "https://custom.example.com/token")
        try web.publish(["id": 42], at: "https://custom.example.com/me")
        let fixtures = Self.fixtures(
            "oauth2",
            [
                "authorizationURL": "https://custom.example.com/authorize",
                "tokenURL": "https://custom.example.com/token", "issuer": "https://custom.example.com",
                "portico_profile": ["url": "https://custom.example.com/me"],
            ])
        try await TestServer.run(fixtures, outbound: web) { server in
            for (suffix, isGood) in [
                ("&iss=https://evil.example.com", false), ("&iss=https://custom.example.com/", false),
                ("&iss=https://evil.example.com&error=access_denied", false), ("&iss=https://custom.example.com", true),
                ("", true),
            ] {
                let (browser, before) = (TestBrowser(server), web.requests.count)
                let departure = try await UpstreamLoginTests.depart(browser, ["connection": "oauth2"])
                let answer = try await UpstreamLoginTests.arrive(browser, departure, "code=1\(suffix)")
                #expect((answer.query("code") != nil) == isGood, "\(suffix)")
                #expect((web.requests.count > before) == isGood, "a code was shown: \(suffix)")
            }
        }
    }

    @Test("Auth0's custom social connections: endpoints, scope and profile of any provider")
    func custom() async throws {
        let web = SimulatedWeb()
        try web.publish(["access_token": "abc"], at: "https://custom.example.com/token")
        try web.publish(
            ["data": ["user": ["uid": 42, "mail": "kim@example.com"]]], at: "https://custom.example.com/me")
        var fixtures = Self.fixtures(
            "oauth2",
            [
                "authorizationURL": "https://custom.example.com/authorize?tenant=1",
                "tokenURL": "https://custom.example.com/token", "scope": "read profile",
                "portico_profile": [
                    "url": "https://custom.example.com/me",
                    "map": ["user_id": "data.user.uid", "email": "data.user.mail"],
                ],
            ])
        fixtures.connections[1].name = "custom"
        fixtures.connectionSecrets = ["custom": ["client_secret": "upstream-secret"]]
        try await TestServer.run(fixtures, outbound: web) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "custom"])
            #expect(departure.location?.hasPrefix("https://custom.example.com/authorize?tenant=1&") == true)
            #expect(departure.query("scope") == "read profile")
            #expect(try await UpstreamLoginTests.arrive(browser, departure, "code=1").query("code") != nil)
            let user = try #require(try await server.services.stores.users.find("oauth2|custom|42"))
            #expect(user.email == "kim@example.com")
            // The connection does not know what its provider calls itself.
            let other = TestBrowser(server)
            let again = try await UpstreamLoginTests.depart(other, ["connection": "custom"])
            let named = try await UpstreamLoginTests.arrive(other, again, "code=1&iss=https://custom.example.com")
            #expect(named.query("error") == "access_denied")
        }
    }
}
