import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Signing in with a password that a custom database has")
struct CustomDatabaseLoginTests {
    @Test(
        "The first login makes the user with the script's id and profile, each one brings it up to date, and no password is kept"
    )
    func login() async throws {
        try await LegacyDatabase.run { server, database in
            database.change("1") { row in
                row.profile = [
                    "name": "Ada Lovelace", "user_metadata": ["plan": "gold"], "metadata": ["roles": ["admin"]],
                    "password_hash": "$2b$10$secret", "mfa_factors": [[:]],
                ]
            }
            #expect(try await server.pageLogin().isIn)
            let first = try #require(try await server.kept())
            #expect(first.user.id == "auth0|1" && first.passwordHash == nil && first.user.loginsCount == 1)
            #expect(first.user.profile == ["name": "Ada Lovelace", "nickname": "legacy"])
            #expect(first.user.userMetadata == ["plan": "gold"] && first.user.appMetadata == ["roles": ["admin"]])
            let management = try await ManagementClient(server)
            _ = try await management.patch("users/auth0%7C1", ["app_metadata": ["ours": true]])
            database.change("1") { row in
                row.email = "lovelace@example.com"
                row.isVerified = true
                row.profile = ["name": "Countess", "user_metadata": ["plan": .null]]
            }
            #expect(try await server.pageLogin("LOVELACE@example.com").isIn)
            let second = try #require(try await server.kept("lovelace@example.com"))
            #expect(second.user.id == "auth0|1" && second.passwordHash == nil && second.user.isEmailVerified)
            #expect(second.user.profile["name"] == "Countess" && second.user.userMetadata == [:])
            #expect(second.user.appMetadata == ["roles": ["admin"], "ours": true])
            #expect(database.asked == ["login", "login"])
            #expect(try await server.logTypes().contains("scripts_executed"))
        }
    }

    @Test("A wrong password reads like one of nobody's and counts: after ten the database is asked no more")
    func wrongPassword() async throws {
        try await LegacyDatabase.run { server, database in
            let nobody = try await server.pageLogin("nobody@example.com", "wrong password 1")
            #expect(nobody.status == 400 && nobody.text.contains("Wrong email or password"))
            for _ in 0..<10 {
                let answer = try await server.pageLogin("ada@example.com", "wrong password 1")
                #expect(answer.status == 400 && answer.text.contains("Wrong email or password"))
            }
            #expect(try await server.pageLogin().text.contains("has been blocked"))
            #expect(database.asked.count == 11)
            #expect(try await server.kept() == nil)
            #expect(try await server.logTypes().filter { $0 == "fp" }.count == 11)
        }
    }

    @Test("A user name is given to the script as it was typed, and blanks around it make no other name to try")
    func username() async throws {
        try await LegacyDatabase.run { server, database in
            database.change("1") { $0.username = "Countess" }
            #expect(try await server.pageLogin("Countess").isIn)
            #expect(try await server.kept("countess")?.user.id == "auth0|1")
            for blanks in 0..<10 {
                _ = try await server.pageLogin(String(repeating: " ", count: blanks) + "Countess", "wrong password 1")
            }
            #expect(try await server.pageLogin("Countess").text.contains("has been blocked"))
        }
    }

    @Test("Both password grants ask it too, and post-login scripts see its user")
    func grants() async throws {
        try await LegacyDatabase.run { server, _ in
            try await server.addRule(
                "function (user, context, callback) { context.idToken['https://x/id'] = user.user_id; callback(null, user, context); }"
            )
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await PasswordGrantTests.logIn(party, ["scope": "openid"]).json()
            #expect(tokens["id_token"]?.string?.claims["sub"] == "auth0|1")
            #expect(tokens["id_token"]?.string?.claims["https://x/id"] == "auth0|1")
            let realm = try await PasswordGrantTests.logIn(
                party,
                [
                    "grant_type": "http://auth0.com/oauth/grant-type/password-realm",
                    "realm": Connection.database.name,
                ])
            #expect(realm.status == .ok)
            let wrong = try await PasswordGrantTests.logIn(party, ["password": "wrong"])
            #expect(try wrong.json()["error"] == "invalid_grant")
            #expect(try await server.kept()?.user.loginsCount == 2)
        }
    }

    @Test(
        "A script that fails lets nobody in, by page or grant; the log has the script, the line and the cause",
        arguments: [
            ("callback(new Error('no such table'));", "line 2: Error: no such table"),
            ("throw new TypeError('broken');", "line 2: TypeError: broken"),
            ("", "it never ended"),
            ("callback(null, 'ada');", "the profile must be an object"),
            ("callback(null, [1]);", "the profile must be an object"),
            ("callback(null, { email });", "the profile has no user_id"),
            ("callback(null, { user_id: {} });", "must be a text"),
            ("callback(null, { user_id: 'a b' });", "without spaces"),
            ("callback(null, { user_id: 'x'.repeat(241) });", "1 to 240 characters"),
            ("callback(null, JSON.parse('{\"user_id\": \"1\", \"user_metadata\": {\"__proto__\": 1}}'));", "__proto__"),
            ("callback(null, { user_id: '1', email: 'no address' });", "no e-mail address"),
            ("callback(null, { user_id: '1', app_metadata: { a: 'x'.repeat(70000) } });", "more than 64 KB"),
            ("callback(null, { user_id: '1', app_metadata: { 'a.b': 1 } });", "must not have a '.'"),
            ("callback(null, { user_id: '1', a: 'x'.repeat(2000000) });", "it gave back more than"),
            ("callback(new ValidationError('code', 'words'));", ""),
            ("require('mysql');", "Cannot find module 'mysql'"),
            ("auth0.users.get('1');", "auth0"),
        ])
    func failures(body: String, cause: String) async throws {
        try await LegacyDatabase.run(["login": "function login(email, password, callback) {\n\(body)\n}"]) {
            server, _ in
            let page = try await server.pageLogin()
            let answer = try await PasswordGrantTests.logIn(RelyingParty.regularWebApp(server))
            #expect(!page.isIn && answer.status != .ok)
            #expect(try await server.kept() == nil)
            guard !cause.isEmpty else { return #expect(page.text.contains("Wrong email or password")) }
            #expect(page.status == 503 && page.text.contains("We cannot check your password right now"))
            #expect(try answer.json()["error"] == "temporarily_unavailable")
            let failure = try await server.scriptFailure()
            #expect(failure?.hasPrefix("database script login (Username-Password-Authentication): ") == true)
            #expect(failure?.contains(cause) == true, "\(failure ?? "none")")
            let event = try #require(try await server.logEvents().last { $0.type == "f" })
            #expect(event.description?.contains(cause) == true)
        }
    }

    @Test("Without a script login the log says what is missing")
    func missing() async throws {
        try await LegacyDatabase.run(["login": nil]) { server, _ in
            #expect(try await server.pageLogin().status == 503)
            let event = try #require(try await server.logEvents().last { $0.type == "f" })
            #expect(event.description?.contains("options.customScripts.login") == true)
        }
    }

    @Test("callback(), callback(null) and an UnauthorizedError are a wrong password")
    func nobody() async throws {
        for body in ["callback()", "callback(null)", "callback(null, false)", "callback(new UnauthorizedError('no'))"] {
            try await LegacyDatabase.run(["login": "function login(email, password, callback) { \(body); }"]) {
                server, _ in
                let page = try await server.pageLogin()
                #expect(page.status == 400 && page.text.contains("Wrong email or password"))
            }
        }
    }

    @Test("Nobody gets in whom either side has blocked, and the other database does not unblock")
    func blocked() async throws {
        try await LegacyDatabase.run { server, database in
            #expect(try await server.pageLogin().isIn)
            _ = try await ManagementClient(server).patch("users/auth0%7C1", ["blocked": true])
            database.change("1") { $0.profile = ["blocked": false] }
            let party = RelyingParty.regularWebApp(server)
            #expect(try await PasswordGrantTests.logIn(party).json()["error_description"] == "user is blocked")
            #expect(try await server.kept()?.user.isBlocked == true)
            _ = try await ManagementClient(server).patch("users/auth0%7C1", ["blocked": false])
            database.change("1") { $0.profile = ["blocked": true] }
            #expect(try await PasswordGrantTests.logIn(party).json()["error_description"] == "user is blocked")
            #expect(try await server.kept()?.user.isBlocked == false)
        }
    }

    @Test("An id of another connection's user, and an address of another user's, are refused, and change nobody")
    func others() async throws {
        try await LegacyDatabase.run { server, database in
            var other = User(id: "auth0|9", connection: "Other", email: "x@example.com", createdAt: Date())
            other.profile = ["name": "Other"]
            var grace = User(
                id: "auth0|2", connection: Connection.database.name, email: "grace@example.com", createdAt: Date())
            grace.profile = ["name": "Grace"]
            let (first, second) = (other, grace)
            try await server.services.stores.database.write { transaction in
                try UserStore.insert(first, passwordHash: nil, in: transaction)
                try UserStore.insert(second, passwordHash: nil, in: transaction)
            }
            database.change("1") { $0.profile = ["user_id": "9"] }
            #expect(try await server.pageLogin().status == 503)
            #expect(try await server.services.stores.users.find("auth0|9")?.profile == ["name": "Other"])
            database.change("1") { $0.profile = ["email": "grace@example.com"] }
            #expect(try await server.pageLogin().status == 503)
            #expect(try await server.services.stores.users.find("auth0|1") == nil)
            #expect(try await server.services.stores.users.find("auth0|2")?.profile == ["name": "Grace"])
            let events = try await server.logEvents().filter { $0.type == "f" }
            #expect(events.first?.description?.contains("is of the connection Other") == true)
            #expect(events.last?.description?.contains("is another user's of the connection") == true)
        }
    }

    @Test("Many first logins at once make one user", arguments: [false, true])
    func together(imports: Bool) async throws {
        try await LegacyDatabase.run(imports: imports) { server, _ in
            let results = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<6 { group.addTask { try await server.pageLogin().isIn } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results == Array(repeating: true, count: 6))
            let users = try await server.services.stores.users.list(limit: 10)
            #expect(users.map(\.id) == ["auth0|1"] && users.first?.loginsCount == 6)
        }
    }

    @Test(
        "A password that is changed while the script looks lets nobody in with the old one", arguments: [false, true])
    func changedMeanwhile(imports: Bool) async throws {
        try await LegacyDatabase.run(imports: imports) { server, database in
            let management = try await ManagementClient(server)
            if imports {
                try await Self.addWithoutPassword(server)
            } else {
                #expect(try await server.pageLogin().isIn)
            }
            database.interrupt { path in
                guard path == "login" else { return }
                database.interrupt(nil)
                server.clock.advance(by: 1)
                _ = try await management.patch("users/auth0%7C1", ["password": "Difference-Engine-1822"])
            }
            let late = try await server.pageLogin()
            #expect(!late.isIn && late.text.contains("Wrong email or password"))
            #expect(try await server.pageLogin("ada@example.com", "Difference-Engine-1822").isIn)
        }
    }

    private static func addWithoutPassword(_ server: TestServer) async throws {
        let user = User(
            id: "auth0|1", connection: Connection.database.name, email: "ada@example.com", createdAt: Date())
        try await server.services.stores.database.write { transaction in
            try UserStore.insert(user, passwordHash: nil, in: transaction)
        }
    }

    @Test("A user who is blocked while the script looks does not get in", arguments: [false, true])
    func blockedMeanwhile(imports: Bool) async throws {
        try await LegacyDatabase.run(imports: imports) { server, database in
            try await Self.addWithoutPassword(server)
            let management = try await ManagementClient(server)
            database.interrupt { path in
                guard path == "login" else { return }
                database.interrupt(nil)
                _ = try await management.patch("users/auth0%7C1", ["blocked": true])
            }
            let answer = try await PasswordGrantTests.logIn(RelyingParty.regularWebApp(server))
            #expect(try answer.json()["error_description"] == "user is blocked")
            #expect(try await server.kept()?.passwordHash == nil)
        }
    }

    @Test("What a script says of the password it was given is not in the log")
    func secrets() async throws {
        let script = "function login(e, p, callback) { console.log(p); callback(new Error('bad ' + p)); }"
        try await LegacyDatabase.run(["login": script]) { server, _ in
            let page = try await server.pageLogin()
            #expect(page.status == 503)
            let events = try await server.logEvents().map { "\($0)" }.joined()
            #expect(events.contains("bad ***") && !events.contains(User.adaPassword))
        }
    }

    @Test("An address that has gone to another user of the other database is that one's here")
    func addressMoves() async throws {
        try await LegacyDatabase.run { server, database in
            #expect(try await server.pageLogin().isIn)
            database.change("1") { $0.id = "2" }
            #expect(try await server.pageLogin().isIn)
            #expect(try await server.kept()?.user.id == "auth0|2")
            let former = try await server.services.stores.users.find("auth0|1")
            #expect(former?.email == nil && former?.isEmailVerified == false)
        }
    }

    @Test("Scripts that declare a context get one, with the organization; others do not")
    func context() async throws {
        let script = """
            function login(email, password, context, callback) {
              callback(null, { user_id: '1', email, nickname: context.client.client_id + context.connection.name });
            }
            """
        try await LegacyDatabase.run(["login": script]) { server, _ in
            #expect(try await server.pageLogin().isIn)
            let nickname = try await server.kept()?.user.profile["nickname"]
            #expect(nickname == .string("regular-web-app" + Connection.database.name))
        }
        let any =
            "function login(...all) { all[all.length - 1](null, { user_id: String(all.length), email: all[0] }); }"
        for (isOn, id) in [(false, "auth0|3"), (true, "auth0|4")] {
            try await LegacyDatabase.run(
                ["login": any], fixtures: { $0.connections[0].options["enable_script_context"] = .bool(isOn) }
            ) { server, _ in
                let page = try await server.pageLogin()
                #expect(page.isIn)
                #expect(try await server.kept()?.user.id == id)
            }
        }
    }

    @Test("Without enabledDatabaseCustomization the scripts are not asked")
    func off() async throws {
        try await LegacyDatabase.run(
            fixtures: { fixtures in
                fixtures.connections[0].options["enabledDatabaseCustomization"] = false
                fixtures.users = [(.ada, User.adaPassword)]
            }
        ) { server, database in
            let page = try await server.pageLogin()
            #expect(page.isIn && database.asked.isEmpty)
        }
    }

    // MARK: Coming over

    @Test("In import mode the first login keeps the password, and the script is asked no more")
    func imports() async throws {
        try await LegacyDatabase.run(imports: true) { server, database in
            #expect(try await server.pageLogin("ada@example.com", "wrong password 1").status == 400)
            #expect(try await server.pageLogin().isIn)
            let kept = try #require(try await server.kept())
            #expect(kept.user.id == "auth0|1" && kept.passwordHash?.hasPrefix("$argon2id$") == true)
            database.change("1") { $0.password = "another password 1" }
            #expect(try await server.pageLogin().isIn)
            #expect(try await !server.pageLogin("ada@example.com", "another password 1").isIn)
            #expect(database.asked == ["login", "login"])
        }
    }

    @Test("Who has come over does not sign in with the old address and an old password")
    func importedThenChanged() async throws {
        try await LegacyDatabase.run(imports: true) { server, database in
            #expect(try await server.pageLogin().isIn)
            let management = try await ManagementClient(server)
            _ = try await management.patch("users/auth0%7C1", ["email": "lovelace@example.com"])
            _ = try await management.patch("users/auth0%7C1", ["password": "Difference-Engine-1822"])
            let old = try await server.pageLogin()
            #expect(!old.isIn && old.text.contains("Wrong email or password"))
            #expect(try await server.pageLogin("lovelace@example.com", "Difference-Engine-1822").isIn)
            #expect(try await server.services.stores.users.list(limit: 10).count == 1)
        }
    }

    @Test("A user without a password here comes over where the ids agree, and not where they differ")
    func present() async throws {
        for (id, isIn) in [("auth0|1", true), ("auth0|7", false)] {
            try await LegacyDatabase.run(imports: true) { server, _ in
                let user = User(
                    id: id, connection: Connection.database.name, email: "ada@example.com", createdAt: Date())
                try await server.services.stores.database.write { transaction in
                    try UserStore.insert(user, passwordHash: nil, in: transaction)
                }
                #expect(try await server.pageLogin().isIn == isIn)
                #expect(try await (server.kept()?.passwordHash != nil) == isIn)
            }
        }
    }
}
