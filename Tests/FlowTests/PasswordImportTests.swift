import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Passwords come one by one from the old tenant")
struct PasswordImportTests {
    private static let tokenURL = "https://old.example.com/oauth/token"
    static let password = "correct Horse 7 battery"

    /// A tenant whose database is in import mode.
    private static func fixtures(createsUsers: Bool = false) -> Fixtures {
        var fixtures = PasswordGrantTests.fixtures()
        var settings: JSONObject = ["domain": "old.example.com", "client_id": "importer", "realm": "Users"]
        if createsUsers { settings["create_users"] = true }
        fixtures.connections[0].options["import_mode"] = true
        fixtures.connections[0].options["portico_import"] = .object(settings)
        return fixtures
    }

    /// Runs a server with the user hedy@example.com, whose password only the old tenant knows.
    static func run(
        createsUsers: Bool = false, _ body: @Sendable (TestServer, SimulatedWeb) async throws -> Void
    ) async throws {
        let web = SimulatedWeb()
        try await TestServer.run(fixtures(createsUsers: createsUsers), outbound: web) { server in
            let sealed = try server.services.secret.box.seal("secret-of-the-importer")
            try await server.services.stores.database.write { transaction in
                let user = User(
                    id: "auth0|hedy", connection: Connection.database.name, email: "hedy@example.com",
                    createdAt: Date(timeIntervalSince1970: 1_700_000_000))
                try UserStore.insert(user, passwordHash: nil, in: transaction)
                try ConnectionStore.saveImportSecret(sealed, of: Connection.database.name, in: transaction)
            }
            try await body(server, web)
        }
    }

    /// Lets the old tenant say that the password was right.
    static func accept(_ web: SimulatedWeb, _ claims: JSONObject) throws {
        let token = ["{}", try JSON.text(claims), "x"].map { Base64URL.encode(Data($0.utf8)) }.joined(separator: ".")
        try web.publish(["access_token": "at", "id_token": .string(token), "token_type": "Bearer"], at: tokenURL)
    }

    private static func refuse(_ web: SimulatedWeb, _ status: Int, _ error: String, _ text: String) throws {
        try web.publish(
            ["error": .string(error), "error_description": .string(text)], at: tokenURL, status: status)
    }

    static func logIn(
        _ server: TestServer, _ email: String = "hedy@example.com", password: String = password
    ) async throws -> TestResponse {
        let party = RelyingParty.regularWebApp(server)
        let browser = TestBrowser(server)
        return try await browser.logIn(
            try await browser.get(party.authorizationURL()), email: email, password: password)
    }

    private static func hash(_ server: TestServer, _ email: String = "hedy@example.com") async throws -> String? {
        try await server.services.stores.users.find(connection: Connection.database.name, identifier: email)?
            .passwordHash
    }

    @Test(
        "The first login asks the old tenant, by password-realm; the second does not, and a wrong password fails here")
    func firstLogin() async throws {
        try await Self.run { server, web in
            try Self.accept(web, ["sub": "auth0|hedy", "email": "hedy@example.com"])
            let first = try await Self.logIn(server)
            #expect(first.location?.hasPrefix(Client.callback) == true, "\(first.status)")
            let request = try #require(web.requests.first)
            #expect(web.requests.count == 1 && request.url == Self.tokenURL)
            guard case .send(let body, "application/json", let headers) = request.method else {
                Issue.record("no JSON was sent")
                return
            }
            let sent = try JSON.decode(JSONObject.self, from: body)
            #expect(sent["grant_type"] == "http://auth0.com/oauth/grant-type/password-realm")
            #expect(sent["username"] == "hedy@example.com" && sent["password"] == .string(Self.password))
            #expect(sent["realm"] == "Users" && sent["client_id"] == "importer")
            #expect(sent["client_secret"] == "secret-of-the-importer")
            #expect(headers.contains { $0.name == "auth0-forwarded-for" })
            let kept = try await Self.hash(server)
            #expect(kept?.hasPrefix("$argon2id$") == true)

            let second = try await Self.logIn(server)
            #expect(second.location?.hasPrefix(Client.callback) == true)
            let wrong = try await Self.logIn(server, password: "something else 1")
            #expect(wrong.status == .badRequest && wrong.text.contains("Wrong email or password"))
            #expect(web.requests.count == 1)
            let logins = try await server.logEvents().filter { $0.type == "s" }
            #expect(logins.count == 2)
            #expect(logins.first?.details["verified_by"] == "https://old.example.com/")
            #expect(logins.last?.details["verified_by"] == nil)
        }
    }

    @Test("A wrong password is wrong here too, and counts: after ten the old tenant is asked no more")
    func wrongPassword() async throws {
        try await Self.run { server, web in
            try Self.refuse(web, 403, "invalid_grant", "Wrong email or password.")
            for _ in 0..<10 {
                let answer = try await Self.logIn(server)
                #expect(answer.status == .badRequest && answer.text.contains("Wrong email or password"))
            }
            let blocked = try await Self.logIn(server)
            #expect(blocked.text.contains("has been blocked"))
            #expect(web.requests.count == 10)
            let kept = try await Self.hash(server)
            #expect(kept == nil)
        }
    }

    @Test(
        "What keeps the old tenant from an answer is told apart in the log; the page says that it cannot be checked now",
        arguments: [
            (403, "mfa_required", "Multifactor authentication required", "mfa_required"),
            (429, "too_many_attempts", "Your account has been blocked", "too_many_requests"),
            (429, "", "", "too_many_requests"), (401, "invalid_client", "Unauthorized", "refused"),
            (403, "unauthorized_client", "Grant type not allowed", "refused"),
            (503, "", "", "unreachable"), (418, "teapot", "", "unexpected"), (200, "", "", "unexpected"),
        ])
    func doubts(status: Int, error: String, text: String, reason: String) async throws {
        try await Self.run { server, web in
            try Self.refuse(web, status, error, text)
            try await Self.expectDoubt(reason, server)
        }
    }

    @Test(
        "An old tenant that is not there is told apart from one that is slow",
        arguments: [(OutboundFailure.Kind.timeout, "timeout"), (.unknownHost, "unreachable")])
    func silence(kind: OutboundFailure.Kind, reason: String) async throws {
        try await Self.run { server, web in
            web.fail(kind, at: Self.tokenURL)
            try await Self.expectDoubt(reason, server)
        }
    }

    private static func expectDoubt(_ reason: String, _ server: TestServer) async throws {
        let answer = try await logIn(server)
        #expect(answer.status == .serviceUnavailable)
        #expect(answer.text.contains("We cannot check your password right now"))
        let kept = try await hash(server)
        #expect(kept == nil)
        let event = try #require(try await server.logEvents().last { $0.type == "f" })
        #expect(event.details["old_tenant"] == .string(reason))
        let log = "\(try await server.logEvents())"
        #expect(!log.contains(password) && !log.contains("secret-of-the-importer"))
        let grant = try await PasswordGrantTests.logIn(
            .regularWebApp(server), ["username": "hedy@example.com", "password": password])
        #expect(try grant.json()["error"] == "temporarily_unavailable")
    }

    @Test("Whoever the old tenant has blocked is blocked here")
    func blocked() async throws {
        try await Self.run { server, web in
            try Self.refuse(web, 403, "unauthorized", "user is blocked")
            let answer = try await Self.logIn(server)
            #expect(answer.location?.contains("error=unauthorized") == true)
        }
    }

    @Test("An address that has gone to somebody else at the old tenant opens nothing")
    func otherPerson() async throws {
        try await Self.run { server, web in
            try Self.accept(web, ["sub": "auth0|else", "email": "else@example.com"])
            let answer = try await Self.logIn(server)
            #expect(answer.status == .badRequest && answer.text.contains("Wrong email or password"))
            let kept = try await Self.hash(server)
            #expect(kept == nil)
        }
    }

    /// What an attacker with an account at the old tenant makes it say: their own id, and the victim's address.
    private static func stolen(verified: Bool, subject: String = "auth0|attacker") -> JSONObject {
        ["sub": .string(subject), "email": "hedy@example.com", "email_verified": .bool(verified)]
    }

    @Test(
        "Another account at the old tenant with a user's address does not open the user's, by whatever name",
        arguments: ["hedy@example.com", "attacker"], [false, true])
    func takeover(typed: String, verified: Bool) async throws {
        for createsUsers in [false, true] {
            try await Self.run(createsUsers: createsUsers) { server, web in
                try Self.accept(web, Self.stolen(verified: verified))
                let answer = try await Self.logIn(server, typed)
                #expect(answer.status == .badRequest && answer.text.contains("Wrong email or password"))
                let kept = try await Self.hash(server)
                #expect(kept == nil)
            }
        }
    }

    @Test("An address tells who it is where the old tenant has verified it and the ids are no two of its own")
    func verifiedAddress() async throws {
        for isVerified in [false, true] {
            try await Self.run { server, web in
                try Self.accept(web, Self.stolen(verified: isVerified, subject: "ad|hedy"))
                let answer = try await Self.logIn(server)
                #expect((answer.location?.hasPrefix(Client.callback) == true) == isVerified)
            }
        }
    }

    @Test(
        "First logins at the same time all come in, and one of them makes the user, whose id may be the old tenant's or new",
        arguments: ["auth0|new", "ad|new"])
    func together(subject: String) async throws {
        try await Self.run(createsUsers: true) { server, web in
            try Self.accept(web, ["sub": .string(subject), "email": "new@example.com", "email_verified": true])
            let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await Self.logIn(server, "new@example.com").location?.hasPrefix(Client.callback) == true
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == [true, true, true])
            // The old tenant knows people by other names too; who is here already is not made again.
            let other = try await Self.logIn(server, "newcomer")
            #expect(other.location?.hasPrefix(Client.callback) == true)
            let users = try await server.services.stores.users.list(limit: 100)
            #expect(users.count { $0.email == "new@example.com" } == 1)
            let wrong = try await Self.logIn(server, "newcomer", password: "something else 1")
            #expect(wrong.status == .badRequest)
        }
    }

    @Test("Nobody comes over past an action that may refuse new users")
    func scripts() async throws {
        try await Self.run(createsUsers: true) { server, web in
            try await ScriptTests.bind("Staff alone", to: .preUserRegistration, server)
            try Self.accept(web, ["sub": "auth0|new", "email": "new@example.com"])
            let answer = try await Self.logIn(server, "new@example.com")
            #expect(answer.status.code >= 400 && answer.text.contains("Staff alone"))
            let user = try await server.services.stores.users.find("auth0|new")
            #expect(user == nil)
        }
    }

    @Test("Nobody signs up with the address of somebody who has yet to come over")
    func signup() async throws {
        try await Self.run(createsUsers: true) { server, _ in
            let browser = TestBrowser(server)
            let started = try await browser.get(
                RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
            let answer = try await browser.submit(
                started, [("email", "new@example.com"), ("password", "Difference-Engine-1822"), ("action", "default")])
            #expect(answer.status == .badRequest && answer.text.contains("sign in with the password you have"))
            let found = try await server.services.stores.users.find(
                connection: Connection.database.name, identifier: "new@example.com")
            #expect(found == nil)
        }
    }

    @Test(
        "The secret is for one application of one tenant: a change of either needs a new one, and none is forgotten unsaid"
    )
    func secretGoes() async throws {
        for (domain, client, isKept) in [
            ("old.example.com", "importer", true), ("evil.example.com", "importer", false),
            ("old.example.com", "other", false),
        ] {
            try await Self.run { server, _ in
                let (management, path) = (try await ManagementClient(server), "connections/\(Connection.database.id)")
                func sealed() async throws -> String? {
                    try await server.services.stores.connections.sealedImportSecret(of: Connection.database.name)
                }
                let options: JSONValue = [
                    "import_mode": true, "portico_import": ["domain": .string(domain), "client_id": .string(client)],
                ]
                let before = try await sealed()
                let answer = try await management.send(.patch, path, ["options": options])
                #expect((answer.status == .ok) == isKept)
                #expect(isKept || answer.text.contains("options.portico_import.client_secret"))
                #expect(try await sealed() == before && before != nil)
                // Without the settings it goes, and does not come back with others.
                #expect(try await management.send(.patch, path, ["options": ["import_mode": true]]).status == .ok)
                #expect(try await management.send(.patch, path, ["options": options]).status == .ok)
                #expect(try await sealed() == nil)
            }
        }
    }

    @Test("The grants that take passwords bring them over too")
    func grant() async throws {
        try await Self.run { server, web in
            try Self.accept(web, ["sub": "auth0|hedy"])
            let answer = try await PasswordGrantTests.logIn(
                .regularWebApp(server),
                ["username": "hedy@example.com", "password": Self.password, "audience": "appointments:api"])
            #expect(answer.status == .ok)
            #expect(try answer.json()["access_token"]?.string?.claims["sub"] == "auth0|hedy")
            let kept = try await Self.hash(server)
            #expect(kept != nil)
        }
    }

    @Test("People who are not here yet come with their id and profile where the connection says so")
    func newUsers() async throws {
        try await Self.run(createsUsers: true) { server, web in
            try Self.accept(web, ["sub": "auth0|new"])
            try web.publish(
                ["sub": "auth0|new", "email": "New@Example.com", "email_verified": true, "given_name": "Nia"],
                at: "https://old.example.com/userinfo")
            let answer = try await Self.logIn(server, "new@example.com")
            #expect(answer.location?.hasPrefix(Client.callback) == true)
            let user = try #require(try await server.services.stores.users.find("auth0|new"))
            #expect(user.email == "new@example.com" && user.isEmailVerified)
            #expect(user.profile["given_name"] == "Nia" && user.loginsCount == 1)
            let kept = try await Self.hash(server, "new@example.com")
            #expect(kept != nil)
            #expect(web.requests.count == 2)
            _ = try await Self.logIn(server, "new@example.com")
            #expect(web.requests.count == 2)
        }
    }

    @Test("Elsewhere they do not, and the page does not tell them from users with a wrong password")
    func noNewUsers() async throws {
        try await Self.run { server, web in
            try Self.accept(web, ["sub": "auth0|new", "email": "new@example.com"])
            let unknown = try await Self.logIn(server, "new@example.com")
            try Self.refuse(web, 403, "invalid_grant", "Wrong email or password.")
            let known = try await Self.logIn(server)
            #expect(unknown.status == known.status && unknown.text.contains("Wrong email or password"))
            let user = try await server.services.stores.users.find("auth0|new")
            #expect(user == nil)
            // Both were asked for: the time that it takes tells nobody apart.
            #expect(web.requests.count == 2)
        }
    }

    @Test("Users with a password here, and databases that are not in import mode, ask nobody")
    func notAsked() async throws {
        try await Self.run { server, web in
            let answer = try await Self.logIn(server, "ada@example.com", password: User.adaPassword)
            #expect(answer.location?.hasPrefix(Client.callback) == true)
            try await server.services.stores.database.write { transaction in
                var connection = try #require(
                    try ConnectionStore.find(name: Connection.database.name, in: transaction))
                connection.options["import_mode"] = false
                try ConnectionStore.save(connection, in: transaction)
            }
            try await server.services.configuration.refresh()
            let ended = try await Self.logIn(server)
            #expect(ended.status == .badRequest)
            #expect(web.requests.isEmpty)
        }
    }

    @Test("The Management API takes the secret and never shows it")
    func secret() async throws {
        try await Self.run { server, _ in
            let management = try await ManagementClient(server)
            let options: JSONValue = [
                "import_mode": true,
                "portico_import": [
                    "domain": "old.example.com", "client_id": "importer", "client_secret": "another-secret-of-it",
                ],
            ]
            let answer = try await management.send(
                .patch, "connections/\(Connection.database.id)", ["options": options])
            #expect(answer.status == .ok && !answer.text.contains("another-secret-of-it"))
            let sealed = try await server.services.stores.connections.sealedImportSecret(of: Connection.database.name)
            #expect(try sealed.map(server.services.secret.box.open) == "another-secret-of-it")
            let log = "\(try await server.logEvents())"
            #expect(!log.contains("another-secret-of-it"))
            let wrong = try await management.send(
                .patch, "connections/\(Connection.database.id)",
                ["options": ["portico_import": ["domain": "not a domain", "client_id": "x"]]])
            #expect(wrong.status == .badRequest && wrong.text.contains("options.portico_import.domain"))
        }
    }
}
