import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Sign-in and sign-up pages")
struct LoginPageTests {
    @Test("A wrong password and an unknown user read alike, but for the address typed")
    func enumeration() async throws {
        try await TestServer.run { server in
            var pages: [String] = []
            for email in ["ada@example.com", "eve@example.com"] {
                let browser = TestBrowser(server)
                let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
                let answer = try await browser.submit(started, [("username", email), ("password", "wrong")])
                #expect(answer.status == .badRequest)
                #expect(answer.text.contains("Wrong email or password"))
                pages.append(
                    answer.text.replacing(email, with: "").replacing(/[A-Za-z0-9_-]{43}/, with: ""))
            }
            #expect(pages[0] == pages[1])
        }
    }

    @Test("A login form without this browser's token signs nobody in")
    func forgery() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let answer = try await browser.post(
                started.location ?? "", [("username", "ada@example.com"), ("password", User.adaPassword)])
            #expect(answer.status == .forbidden)
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("Auth0: ten wrong passwords block the address for this user, with the right one too")
    func bruteForce() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            for _ in 0..<10 {
                _ = try await browser.submit(started, [("username", "ada@example.com"), ("password", "wrong")])
            }
            let right = try await browser.submit(
                started, [("username", "Ada@Example.com "), ("password", User.adaPassword)])
            #expect(right.status == .badRequest)
            #expect(right.text.contains("blocked"))
            let other = try await browser.submit(
                started, [("username", "grace@example.com"), ("password", User.gracePassword)])
            #expect(other.status == .found)
        }
    }

    @Test("Attempts at the same time cannot be more than ten either")
    func parallelBruteForce() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let page = started.location ?? ""
            let fields = TestBrowser.hiddenFields(try await browser.get(page).text)
            let read = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<25 {
                    group.addTask {
                        try await browser.post(page, fields + [("username", "ada@example.com"), ("password", "wrong")])
                            .text.contains("Wrong email or password")
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(read == 10)
        }
    }

    @Test("A user whom an administrator blocked goes back to the application, with the right password only")
    func blockedUser() async throws {
        try await TestServer.run { server in
            try await server.services.stores.database.write { try UserStore.setBlocked(true, User.ada.id, in: $0) }
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let wrong = try await browser.submit(started, [("username", "ada@example.com"), ("password", "wrong")])
            #expect(wrong.text.contains("Wrong email or password"))
            let right = try await browser.submit(
                started, [("username", "ada@example.com"), ("password", User.adaPassword)])
            #expect(right.query("error") == "unauthorized")
            #expect(right.query("error_description") == "user is blocked")
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("Signing up makes a user, signs in, and goes on to the application")
    func signup() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let started = try await browser.get(party.authorizationURL(["screen_hint": "signup"]))
            let weak = try await browser.submit(started, [("email", "New@Example.com"), ("password", "weak")])
            #expect(weak.status == .badRequest)
            #expect(weak.text.contains("At least 8 characters"))
            let answer = try await browser.follow(
                browser.submit(started, [("email", " New@Example.com"), ("password", "Better-Password-1")]))
            let token = try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string ?? ""
            #expect(token.claims["email"] == "new@example.com")
            #expect(token.claims["email_verified"] == false)
            #expect(token.claims["sub"]?.string?.wholeMatch(of: /auth0\|[0-9a-f]{24}/) != nil)
        }
    }

    @Test("An address that is taken fails like any other failure; sign-up can be closed")
    func signupRefusals() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(
                RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
            let taken = try await browser.submit(
                started, [("email", "ada@example.com"), ("password", "Better-Password-1")])
            #expect(taken.status == .badRequest)
            #expect(!taken.text.localizedCaseInsensitiveContains("exist"))
        }
        var closed = Fixtures()
        closed.connections[0].options["disable_signup"] = true
        try await TestServer.run(closed) { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(
                RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
            let answer = try await browser.submit(
                started, [("email", "x@example.com"), ("password", "Better-Password-1")])
            #expect(answer.status == .badRequest)
            let user = try await server.services.stores.users
                .find(connection: "Username-Password-Authentication", identifier: "x@example.com")
            #expect(user == nil)
        }
    }

    @Test("An imported bcrypt hash signs in, and is Argon2id afterwards")
    func upgrade() async throws {
        try await TestServer.run { server in
            let user = User(
                id: "auth0|cccccccccccccccccccccccc", connection: "Username-Password-Authentication",
                email: "bea@example.com", createdAt: server.clock.now)
            // bcrypt of "U*U" with cost 5, a published test vector.
            let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
            try await server.services.stores.database.write { try UserStore.insert(user, passwordHash: hash, in: $0) }
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let answer = try await browser.logIn(started, email: "bea@example.com", password: "U*U")
            #expect(answer.query("code") != nil)
            let stored = try await server.services.stores.users
                .find(connection: user.connection, identifier: "bea@example.com")?.passwordHash
            #expect(stored?.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$") == true)
        }
    }

    @Test("Every page has a content security policy and no inline script or style")
    func policy() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let login = try await browser.get(started.location ?? "")
            let signup = try await browser.get((started.location ?? "").replacing("login", with: "signup"))
            for page in [login, signup, try await server.get("/authorize"), try await server.get("/v2/logout")] {
                let policy = page.headers[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe"))
                #expect(page.text.firstMatch(of: /<script(?![^>]*src=)|<style|style="|onclick=/) == nil)
            }
        }
    }

    @Test("A full queue of passwords answers 503 with Retry-After, and tokens go on")
    func busy() async throws {
        try await TestServer.run(passwords: PasswordHasher(threads: 1, limit: 0)) { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let answer = try await browser.submit(
                started, [("username", "ada@example.com"), ("password", User.adaPassword)])
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.headers[.retryAfter] == "5")
            let machine = RelyingParty.machine(server)
            #expect(
                try await machine.token(["grant_type": "client_credentials", "audience": "appointments:api"]).status
                    == .ok)
        }
    }
}
