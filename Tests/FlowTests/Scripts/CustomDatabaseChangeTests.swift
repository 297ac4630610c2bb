import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Making, changing and removing users of a custom database")
struct CustomDatabaseChangeTests {
    private static let new = "Difference-Engine-1822"

    // MARK: Signing up

    private static func signUp(_ server: TestServer, _ email: String = "new@example.com") async throws -> TestResponse {
        let browser = TestBrowser(server)
        let started = try await browser.get(
            RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
        return try await browser.follow(
            browser.submit(started, [("email", email), ("password", new), ("action", "default")]))
    }

    private static func register(_ server: TestServer, _ email: String = "new@example.com") async throws -> TestResponse
    {
        let body: JSONObject = [
            "client_id": "regular-web-app", "connection": .string(Connection.database.name), "email": .string(email),
            "password": .string(new), "user_metadata": ["plan": "silver"],
        ]
        return try await server.post("/dbconnections/signup", json: JSON.text(body))
    }

    @Test("Signing up on the page makes the user there, asks whether they can sign in, and signs them in")
    func signUpPage() async throws {
        try await LegacyDatabase.run { server, database in
            #expect(try await Self.signUp(server).location?.hasPrefix(Client.callback) == true)
            #expect(database.asked == ["user", "create", "login"])
            let kept = try #require(try await server.kept("new@example.com"))
            #expect(kept.user.id == "auth0|new-1" && kept.passwordHash == nil)
            #expect(try await server.logTypes().contains("ss"))
            #expect(try await server.pageLogin("new@example.com", Self.new).isIn)
        }
    }

    @Test("Signing up by the API does as well, with metadata, and mails the link that verify is for")
    func signUpAPI() async throws {
        try await LegacyDatabase.run { server, database in
            let made = try await Self.register(server)
            #expect(made.status == .ok)
            #expect(try made.json()["_id"] == "new-1")
            #expect(try await server.kept("new@example.com")?.user.userMetadata == ["plan": "silver"])
            let path = try await server.mailedPath(to: "new@example.com")
            database.fail(500)
            let form = TestBrowser.hiddenFields(try await server.get(path).text)
            let failed = try await server.post("/u/email-verification", form: form)
            #expect(failed.status == .badRequest)
            #expect(try await server.kept("new@example.com")?.user.isEmailVerified == false)
            let event = try #require(try await server.logEvents().last { $0.type == "fv" })
            // It is asked first whether the address is still this user's.
            #expect(event.description?.contains("database script get_user") == true)
            database.fail(nil)
            #expect(try await server.post("/u/email-verification", form: form).status == .ok)
            #expect(database.rows.last?.isVerified == true)
            #expect(try await server.kept("new@example.com")?.user.isEmailVerified == true)
        }
    }

    @Test("A database without the script verify gets no mails that ask for it")
    func unverifiable() async throws {
        try await LegacyDatabase.run(["verify": nil]) { server, _ in
            let made = try await Self.register(server)
            #expect(made.status == .ok)
            #expect(try await server.mails().isEmpty)
        }
    }

    @Test("Somebody whom the other database has is not made again, and the answer is that of any failure")
    func exists() async throws {
        for imports in [false, true] {
            try await LegacyDatabase.run(imports: imports) { server, database in
                let page = try await Self.signUp(server, "ADA@example.com")
                #expect(page.status == .badRequest && page.text.contains("We could not create this account"))
                #expect(try await Self.register(server, "ada@example.com").json()["code"] == "invalid_signup")
                #expect(database.rows.count == 1 && database.asked == ["user", "user"])
                #expect(try await server.kept() == nil)
            }
        }
        // Nobody was found, and then somebody was: the create script says so.
        try await LegacyDatabase.run(["get_user": "function (email, callback) { callback(null); }"]) {
            server, database in
            let refused = try await Self.register(server, "ada@example.com")
            #expect(try refused.json()["code"] == "invalid_signup")
            #expect(try await server.logEvents().last { $0.type == "fs" }?.description == "The user already exists.")
            #expect(database.rows.count == 1)
        }
    }

    @Test(
        "A script that fails or is missing makes nobody: the page and the API say that it failed, the log why",
        arguments: [
            ("create", nil, "options.customScripts.create"),
            ("get_user", nil, "options.customScripts.get_user"),
            ("create", "function create(user, callback) {\n  callback(new Error('full'));\n}", "line 2: Error: full"),
            ("create", "function create(user, callback) { callback(null, false); }", "did not say that it was done"),
            ("login", "function login(e, p, callback) { callback(null); }", "does not know the user"),
        ] as [(String, String?, String)])
    func failingSignup(name: String, script: String?, cause: String) async throws {
        try await LegacyDatabase.run([name: script]) { server, _ in
            let page = try await Self.signUp(server)
            #expect(page.status == .badRequest && page.text.contains("We could not create this account"))
            #expect(try await Self.register(server, "other@example.com").json()["code"] == "invalid_signup")
            #expect(try await server.services.stores.users.list(limit: 10).isEmpty)
            let event = try #require(try await server.logEvents().last { $0.type == "fs" })
            #expect(event.description?.contains(cause) == true, "\(event.description ?? "")")
        }
    }

    // MARK: Passwords

    private static func ask(_ server: TestServer, _ email: String = "ada@example.com") async throws {
        let answer = try await server.post(
            "/dbconnections/change_password",
            json: #"{"client_id":"regular-web-app","connection":"\#(Connection.database.name)","email":"\#(email)"}"#)
        #expect(answer.status == .ok)
    }

    private static func choose(_ path: String, _ server: TestServer) async throws -> TestResponse {
        let browser = TestBrowser(server)
        let form = TestBrowser.hiddenFields(try await browser.get(path).text)
        return try await browser.post(path, form + [("password", new), ("password_again", new)])
    }

    @Test(
        "A password is changed where it is, also of somebody who was never here; a script that fails leaves all as it was"
    )
    func reset() async throws {
        try await LegacyDatabase.run { server, database in
            try await Self.ask(server)
            let path = try await server.mailedPath(to: "ada@example.com")
            #expect(database.asked == ["user"])
            #expect(try await server.kept()?.user.id == "auth0|1")
            let browser = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).code(browser)
            database.fail(500)
            let failed = try await Self.choose(path, server)
            #expect(failed.status == .serviceUnavailable && failed.text.contains("could not be changed right now"))
            let event = try #require(try await server.logEvents().last { $0.type == "fcp" })
            #expect(event.description?.contains("database script get_user") == true)
            let authorize = RelyingParty.regularWebApp(server).authorizationURL(["prompt": "none"])
            #expect(try await browser.get(authorize).query("error") == nil)
            database.fail(nil)
            let done = try await Self.choose(path, server)
            #expect(done.status == .ok && done.text.contains("Password changed!"))
            #expect(database.rows.first?.password == Self.new)
            #expect(try await server.kept()?.passwordHash == nil)
            #expect(try await browser.get(authorize).query("error") == "login_required")
            #expect(try await server.pageLogin("ada@example.com", Self.new).isIn)
            #expect(try await !server.pageLogin().isIn)
            #expect(try await Self.choose(path, server).status == .badRequest)
        }
    }

    @Test("Of a script that does not say that it changed the password nothing is believed")
    func unsaid() async throws {
        for answer in ["callback(null, false)", "callback(null)", "callback()"] {
            let script = "function changePassword(email, password, callback) { \(answer); }"
            try await LegacyDatabase.run(["change_password": script]) { server, _ in
                try await Self.ask(server)
                let path = try await server.mailedPath(to: "ada@example.com")
                #expect(try await Self.choose(path, server).status == .serviceUnavailable)
            }
        }
    }

    @Test("Nobody is mailed whom the other database does not have, or whom it fails to find")
    func nobody() async throws {
        try await LegacyDatabase.run { server, database in
            try await Self.ask(server, "nobody@example.com")
            #expect(try await server.mails().isEmpty)
            database.fail(500)
            try await Self.ask(server)
            #expect(try await server.mails().isEmpty)
            let reasons = try await server.logEvents().filter { $0.type == "fcpr" }.map { $0.description ?? "" }
            #expect(reasons.count == 2 && reasons[0].contains("no such user"))
            #expect(reasons[1].contains("database script get_user"))
        }
    }

    @Test("In import mode a new password brings its user over, and the scripts are asked no more")
    func resetImports() async throws {
        try await LegacyDatabase.run(imports: true) { server, database in
            try await Self.ask(server)
            let path = try await server.mailedPath(to: "ada@example.com")
            #expect(try await Self.choose(path, server).text.contains("Password changed!"))
            #expect(try await server.kept()?.user.id == "auth0|1")
            #expect(try await server.pageLogin("ada@example.com", Self.new).isIn)
            #expect(try await !server.pageLogin().isIn)
            #expect(database.asked == ["user"] && database.rows.first?.password == User.adaPassword)
        }
    }

    // MARK: Administrators

    @Test("POST /users makes the user there, with the id of the script, and answers 409 for one who is there")
    func create() async throws {
        try await LegacyDatabase.run { server, database in
            let management = try await ManagementClient(server)
            let user: JSONObject = [
                "connection": .string(Connection.database.name), "email": "new@example.com", "username": "newton",
                "password": .string(Self.new), "app_metadata": ["level": 3], "given_name": "Isaac",
            ]
            let made = try await management.send(.post, "users", .object(user))
            #expect(made.status == .created)
            let members = try made.json()
            #expect(members["user_id"] == "auth0|new-1" && members["app_metadata"] == ["level": 3])
            #expect(members["username"] == "newton" && members["given_name"] == "Isaac")
            #expect(try await management.send(.post, "users", .object(user)).status == .conflict)
            let ada = user.merging(["email": "ada@example.com", "username": "ada"]) { $1 }
            #expect(try await management.send(.post, "users", .object(ada)).status == .conflict)
            #expect(database.rows.count == 2)
            database.fail(500)
            let failed = try await management.send(
                .post, "users", .object(user.merging(["email": "x@example.com", "username": "x"]) { $1 }))
            #expect(failed.status == .badRequest)
            #expect(try failed.json()["errorCode"] == "auth0_idp_error")
            #expect(try failed.json()["message"]?.string?.contains("database script get_user") == true)
        }
    }

    @Test("PATCH and DELETE go to the other database first; where its script fails nothing changes here")
    func change() async throws {
        try await LegacyDatabase.run { server, database in
            #expect(try await server.pageLogin().isIn)
            let management = try await ManagementClient(server)
            let changes: [JSONObject] = [
                ["password": .string(Self.new)], ["email": "lovelace@example.com"], ["email_verified": true],
            ]
            database.fail(500)
            for change in changes {
                let failed = try await management.send(.patch, "users/auth0%7C1", .object(change))
                #expect(failed.status == .badRequest)
            }
            #expect(try await management.send(.delete, "users/auth0%7C1").status == .badRequest)
            let kept = try #require(try await server.kept())
            #expect(!kept.user.isEmailVerified)
            database.fail(nil)
            for change in changes {
                #expect(try await management.send(.patch, "users/auth0%7C1", .object(change)).status == .ok)
            }
            let row = try #require(database.rows.first)
            #expect(row.password == Self.new && row.email == "lovelace@example.com" && row.isVerified)
            #expect(try await server.kept("lovelace@example.com")?.passwordHash == nil)
            let asked = database.asked.count
            #expect(
                try await management.send(.patch, "users/auth0%7C1", ["name": "Ada", "blocked": false]).status == .ok)
            #expect(database.asked.count == asked)
            #expect(try await management.send(.delete, "users/auth0%7C1").status == .noContent)
            #expect(database.rows.isEmpty)
            #expect(try await server.services.stores.users.list(limit: 10).isEmpty)
        }
    }

    @Test("A script that is missing is named; a user name has one of its own")
    func missing() async throws {
        try await LegacyDatabase.run(["change_email": nil, "delete": nil]) { server, database in
            #expect(try await server.pageLogin().isIn)
            let management = try await ManagementClient(server)
            for (change, name) in [("email", "change_email"), ("username", "change_username")] {
                let answer = try await management.send(
                    .patch, "users/auth0%7C1", [change: .string(change == "email" ? "x@example.com" : "countess")])
                #expect(try answer.json()["message"]?.string?.contains("options.customScripts.\(name)") == true)
            }
            let id = try #require(
                try await server.services.stores.connections.find(name: Connection.database.name)?.id)
            let deletion = try await management.send(.delete, "connections/\(id)/users?email=ada@example.com")
            #expect(try deletion.json()["message"]?.string?.contains("options.customScripts.delete") == true)
            #expect(database.rows.count == 1)
        }
    }

    @Test("In import mode an address of somebody who has not come over yet is taken")
    func takenAddress() async throws {
        try await LegacyDatabase.run(imports: true, fixtures: { $0.users = [(.grace, User.gracePassword)] }) {
            server, _ in
            let management = try await ManagementClient(server)
            let id = User.grace.id.replacing("|", with: "%7C")
            let change = try await management.send(.patch, "users/\(id)", ["email": "ada@example.com"])
            #expect(change.status == .conflict)
            let user: JSONObject = [
                "connection": .string(Connection.database.name), "email": "ada@example.com",
                "password": .string(Self.new),
            ]
            #expect(try await management.send(.post, "users", .object(user)).status == .conflict)
            #expect(try await management.send(.patch, "users/\(id)", ["email": "hopper@example.com"]).status == .ok)
        }
    }

    @Test("An address that is somebody else's there by now changes nobody's password")
    func staleAddress() async throws {
        try await LegacyDatabase.run { server, database in
            #expect(try await server.pageLogin().isIn)
            database.change("1") { $0.id = "2" }
            let answer = try await ManagementClient(server).send(
                .patch, "users/auth0%7C1", ["password": .string(Self.new)])
            #expect(answer.status == .badRequest)
            #expect(database.rows.first?.password == User.adaPassword)
        }
    }

    @Test("Of two browsers that send the form at once one changes the password")
    func together() async throws {
        try await LegacyDatabase.run { server, database in
            try await Self.ask(server)
            let path = try await server.mailedPath(to: "ada@example.com")
            let results = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await Self.choose(path, server).text.contains("Password changed!") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter(\.self).count == 1)
            #expect(database.asked.filter { $0 == "password" }.count == 1)
        }
    }

    @Test("Nobody whom the other database blocks is signed in by signing up")
    func blockedNewcomer() async throws {
        let login = "function login(email, p, callback) { callback(null, { user_id: '5', email, blocked: true }); }"
        try await LegacyDatabase.run(["login": login]) { server, _ in
            let page = try await Self.signUp(server)
            #expect(page.status == .badRequest)
            #expect(try await server.services.stores.users.list(limit: 10).isEmpty)
        }
    }

    @Test("An invited person signs up in the other database, whose scripts know the organization, and becomes a member")
    func invitation() async throws {
        let login = """
            function login(email, password, context, callback) {
              callback(null, { user_id: 'invited', email, nickname: context.organization.name });
            }
            """
        try await LegacyDatabase.run(
            ["login": login],
            fixtures: { fixtures in
                fixtures.change("regular-web-app") {
                    $0.initiateLoginURI = "https://app.example.com/start"
                    $0.organizations = ClientOrganizationSettings(usage: .allow, requireBehavior: nil)
                }
            }
        ) { server, database in
            try await OrganizationTenant.add(
                Organization(id: OrganizationTenant.acme, name: "acme"), members: [], to: server)
            let visitor = InvitationVisitor(
                party: .regularWebApp(server), browser: TestBrowser(server),
                management: try await ManagementClient(server))
            let page = try await visitor.proceed(try await visitor.invite("new@example.com"))
            let answer = try await visitor.browser.follow(visitor.signUp(page, "new@example.com"))
            let claims = try await visitor.claims(answer)
            #expect(claims["sub"] == "auth0|invited" && claims["org_id"] == .string(OrganizationTenant.acme))
            #expect(database.rows.map(\.email) == ["ada@example.com", "new@example.com"])
            #expect(try await server.kept("new@example.com")?.user.profile["nickname"] == "acme")
        }
    }
}
