import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Whoever guesses is kept out, and learns nothing")
struct LoginProtectionTests {
    private static let bruteForce = "attack-protection/brute-force-protection"
    private static let breached = "attack-protection/breached-password-detection"
    /// Keeps the rules for passwords, and others have lost it.
    private static let lost = "Tr0ub4dor&3-of-everybody"

    private static func forwarded(_ address: String) throws -> HTTPFields {
        [try #require(HTTPField.Name("X-Forwarded-For")): address]
    }

    private static func logIn(
        _ server: TestServer, _ username: String = "ada@example.com", _ password: String = "wrong-password-1",
        from address: String? = nil
    ) async throws -> TestResponse {
        try await PasswordGrantTests.logIn(
            RelyingParty.regularWebApp(server), ["username": username, "password": password],
            headers: try address.map(forwarded) ?? [:])
    }

    /// A web that knows of lost passwords.
    private static func web(losing passwords: [String]) -> SimulatedWeb {
        let web = SimulatedWeb()
        for password in passwords {
            let hash = Insecure.SHA1.hash(data: Data(password.utf8)).map { String(format: "%02X", $0) }.joined()
            web.put(
                "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n\(hash.dropFirst(5)):42\r\n",
                at: "https://breached.example.com/range/\(hash.prefix(5))", type: "text/plain")
        }
        return web
    }

    private static func fixtures() -> Fixtures {
        var fixtures = PasswordGrantTests.fixtures()
        fixtures.users.append(
            (
                User(
                    id: "auth0|000000000000000000000abc", connection: Connection.database.name,
                    email: "lost@example.com",
                    createdAt: Date(timeIntervalSince1970: 1_790_000_000)), lost
            ))
        return fixtures
    }

    // MARK: Addresses

    @Test("Attack 35: an address that the sender makes up counts as the sender's own, whatever it looks like")
    func spoofedAddress() async throws {
        var proxy = TestProxy()
        proxy.isTrusted = false
        try await TestServer.run(PasswordGrantTests.fixtures(), proxy: proxy) { server in
            let made = (1...8).map { "198.51.100.\($0)" } + ["rubbish", "::1, 127.0.0.1"]
            for address in made { #expect(try await Self.logIn(server, from: address).status != .tooManyRequests) }
            let right = try await Self.logIn(server, "ada@example.com", User.adaPassword, from: "198.51.100.99")
            #expect(right.status == .tooManyRequests)
        }
        // Behind a proxy that is trusted the last address is what it saw; what is none leaves the proxy's own.
        try await TestServer.run(PasswordGrantTests.fixtures(), proxy: TestProxy()) { server in
            for number in 1...10 {
                let status = try await Self.logIn(server, from: "10.9.8.\(number), 203.0.113.5").status
                #expect(status != .tooManyRequests)
            }
            #expect(try await Self.logIn(server, from: "203.0.113.5").status == .tooManyRequests)
            #expect(try await Self.logIn(server, from: "not an address").status != .tooManyRequests)
        }
    }

    @Test("Attack 36: an IPv6 network of 64 bits counts as one, however its addresses are written")
    func networks() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures(), proxy: TestProxy()) { server in
            let written = [
                "2001:db8:1:2::1", "2001:DB8:1:2::2", "2001:0db8:0001:0002:0000:0000:0000:0003",
                "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:0:0:192.0.2.1",
            ]
            for index in 0..<10 {
                let status = try await Self.logIn(server, from: written[index % written.count]).status
                #expect(status != .tooManyRequests)
            }
            #expect(try await Self.logIn(server, from: "2001:db8:1:2:abcd::1").status == .tooManyRequests)
            #expect(try await Self.logIn(server, from: "2001:db8:1:3::1").status != .tooManyRequests)
        }
    }

    // MARK: Guesses

    @Test(
        "Attack 37: of guesses at the same time no more than ten are looked at, through the API either; each block is told"
    )
    func parallelGuesses() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<18 { group.addTask { try await Self.logIn(server).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 != .tooManyRequests } == 10)
            #expect(try await server.logTypes().filter { $0 == "limit_wc" }.count == 8)
            let right = try await Self.logIn(server, "ada@example.com", User.adaPassword)
            #expect(right.status == .tooManyRequests)
        }
    }

    @Test("Auth0: more than 20 logins of one user from one address wait, the right password's too; ten a minute go on")
    func sameUser() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            for _ in 1...20 {
                #expect(try await Self.logIn(server, "ada@example.com", User.adaPassword).status == .ok)
            }
            let refused = try await Self.logIn(server, "ada@example.com", User.adaPassword)
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.json()["error"] == "too_many_logins")
            #expect(try await server.logTypes().contains("limit_sul"))
            let other = try await Self.logIn(server, "grace@example.com", User.gracePassword)
            #expect(other.status == .ok)
            server.clock.advance(by: 6)
            #expect(try await Self.logIn(server, "ada@example.com", User.adaPassword).status == .ok)
            let again = try await Self.logIn(server, "ada@example.com", User.adaPassword)
            #expect(again.status == .tooManyRequests)
            let management = try await ManagementClient(server)
            _ = try await management.patch(Self.bruteForce, ["enabled": false])
            #expect(try await Self.logIn(server, "ada@example.com", User.adaPassword).status == .ok)
        }
    }

    @Test(
        "Auth0: the user gets a mail whose link takes the block away, once, and not by being opened; nobody else gets one"
    )
    func unblock() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            for name in ["ada@example.com", "nobody@example.com"] {
                for _ in 1...12 { _ = try await Self.logIn(server, name) }
            }
            let mails = try await server.mails()
            #expect(mails.count == 1)
            let path = try await server.mailedPath(to: "ada@example.com")
            let browser = TestBrowser(server)
            let page = try await browser.get(path)
            #expect(page.status == .ok && page.text.contains("Take the block away"))
            let still = try await Self.logIn(server, "ada@example.com", User.adaPassword)
            #expect(still.status == .tooManyRequests)
            let ticket = try #require(page.query("ticket") ?? path.split(separator: "=").last.map(String.init))
            let done = try await server.post("/u/unblock", form: [("ticket", ticket)])
            #expect(done.status == .ok && done.text.contains("sign in again"))
            #expect(try await Self.logIn(server, "ada@example.com", User.adaPassword).status == .ok)
            #expect(try await server.logTypes().contains("ublkdu"))
            #expect(try await server.post("/u/unblock", form: [("ticket", ticket)]).status == .badRequest)
            #expect(try await browser.get(path).status == .badRequest)
            #expect(try await browser.get("/u/unblock?ticket=made-up").status == .badRequest)
            // One mail an hour.
            server.clock.advance(by: 61)
            for _ in 1...11 { _ = try await Self.logIn(server) }
            #expect(try await server.mails().count == 1)
        }
    }

    @Test(
        "From however many addresses a user's password is guessed at, the user gets three mails an hour; strangers count"
    )
    func noticesAreFew() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures(), proxy: TestProxy()) { server in
            for name in ["ada@example.com", "nobody@example.com"] {
                for number in 1...4 {
                    for _ in 1...10 { _ = try await Self.logIn(server, name, from: "198.51.100.\(number)") }
                }
            }
            #expect(try await server.mails().count == 3)
            let attempts = try await server.services.stores.database.readOnce { transaction in
                try transaction.rows("SELECT attempts FROM rate_limit WHERE subject LIKE 'block-notice %'")
                    .map { try $0.integer("attempts") }
            }
            #expect(attempts.sorted() == [1, 1, 1, 1, 1, 1, 1, 1, 4, 4])
        }
    }

    @Test("Auth0: a new password takes the block away")
    func newPassword() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            for _ in 1...11 { _ = try await Self.logIn(server) }
            let management = try await ManagementClient(server)
            let changed = try await management.send(
                .patch, "users/\(User.ada.id.formEncoded)", ["password": "Another-Password-1"])
            #expect(changed.status == .ok)
            #expect(try await Self.logIn(server, "ada@example.com", "Another-Password-1").status == .ok)
        }
    }

    @Test("Attack 38: nobody tells a user who exists from one who does not, before the block and behind it")
    func enumeration() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            var answers: [[String]] = []
            for name in ["ada@example.com", "nobody@example.com"] {
                var texts: [String] = []
                for _ in 1...11 {
                    let answer = try await Self.logIn(server, name)
                    let members = try answer.json().filter { $0.key != "request_id" }
                    texts.append("\(answer.status.code) \(try JSON.text(members))")
                }
                answers.append(texts)
            }
            #expect(answers[0] == answers[1] && answers[0].last?.hasPrefix("429") == true)
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            var pages: [String] = []
            for name in ["ada@example.com", "nobody@example.com"] {
                let page = try await browser.submit(started, [("username", name), ("password", "wrong")])
                pages.append(page.text.replacing(name, with: "").replacing(/[A-Za-z0-9_-]{43}/, with: ""))
            }
            #expect(pages[0] == pages[1])
        }
    }

    // MARK: Passwords that others have lost

    @Test("Auth0: a password that others have lost opens nothing, and nobody is told more than five digits of its hash")
    func breachedLogin() async throws {
        let web = Self.web(losing: [Self.lost])
        try await TestServer.run(Self.fixtures(), outbound: web) { server in
            let management = try await ManagementClient(server)
            #expect(
                try await management.get(Self.breached) == [
                    "enabled": false, "shields": [], "admin_notification_frequency": [], "method": "standard",
                    "stage": ["pre-user-registration": ["shields": []], "pre-change-password": ["shields": []]],
                ])
            #expect(try await Self.logIn(server, "lost@example.com", Self.lost).status == .ok)
            #expect(web.requests.isEmpty)
            _ = try await management.patch(Self.breached, ["enabled": true, "shields": ["block"]])
            for _ in 1...11 {
                let refused = try await Self.logIn(server, "lost@example.com", Self.lost)
                #expect(try refused.json()["error"] == "password_leaked")
            }
            #expect(try await server.logTypes().contains("pwd_leak"))
            let asked = web.requests.map(\.url)
            #expect(
                asked.allSatisfy { $0.wholeMatch(of: /https:\/\/breached\.example\.com\/range\/[0-9A-F]{5}/) != nil })
            // A wrong password is looked up nowhere.
            _ = try await Self.logIn(server, "lost@example.com", "another-wrong-1")
            #expect(web.requests.count == asked.count)
            #expect(try await Self.logIn(server, "ada@example.com", User.adaPassword).status == .ok)
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let page = try await browser.submit(started, [("username", "lost@example.com"), ("password", Self.lost)])
            #expect(page.status == .badRequest && page.text.contains("data breach"))
            // Only told, it opens.
            _ = try await management.patch(Self.breached, ["shields": ["admin_notification"]])
            #expect(try await Self.logIn(server, "lost@example.com", Self.lost).status == .ok)
            #expect(try await server.logTypes().filter { $0 == "pwd_leak" }.count == 13)
        }
    }

    @Test(
        "Auth0: nobody signs up with a password that others have lost, where the tenant says so, taken address or not")
    func breachedSignup() async throws {
        try await TestServer.run(Self.fixtures(), outbound: Self.web(losing: [Self.lost])) { server in
            let management = try await ManagementClient(server)
            _ = try await management.patch(
                Self.breached, ["enabled": true, "stage": ["pre-user-registration": ["shields": ["block"]]]])
            let browser = TestBrowser(server)
            let started = try await browser.get(
                RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
            for password in [Self.lost, "AUTH0-TEST-Password-1"] {
                for address in ["new@example.com", "ada@example.com"] {
                    let page = try await browser.submit(started, [("email", address), ("password", password)])
                    #expect(page.status == .badRequest && page.text.contains("data breach"))
                }
            }
            #expect(try await server.logTypes().filter { $0 == "signup_pwd_leak" }.count == 4)
            let made = try await browser.submit(
                started, [("email", "new@example.com"), ("password", "Better-Password-1")])
            #expect(made.status == .found)
            _ = try await server.logEvents()
            let days = try await management.list("stats/daily")
            #expect(days.last?["leaked_passwords"] == 4)
        }
    }

    @Test("A server of lost passwords that does not answer keeps nobody out")
    func breachedSourceIsAway() async throws {
        let web = SimulatedWeb()
        try await TestServer.run(Self.fixtures(), outbound: web) { server in
            let management = try await ManagementClient(server)
            _ = try await management.patch(Self.breached, ["enabled": true, "shields": ["block"]])
            #expect(try await Self.logIn(server, "lost@example.com", Self.lost).status == .ok)
            #expect(web.requests.count == 1)
            for wrong: JSONValue in [
                ["shields": ["alarm"]], ["method": "best"], ["stage": ["pre-login": [:]]],
                ["admin_notification_frequency": ["hourly"]],
            ] {
                #expect(try await management.send(.patch, Self.breached, wrong).status == .badRequest)
            }
        }
    }
}
