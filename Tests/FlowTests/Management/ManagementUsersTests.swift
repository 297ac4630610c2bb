import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: users")
struct ManagementUsersTests {
    private static let connection = JSONValue.string(Connection.database.name)
    private static let ada = "users/\(User.ada.id.formEncoded)"

    @Test("POST /users makes a user who can sign in; the answer is Auth0's (USR-1)")
    func create() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(
                .post, "users",
                [
                    "connection": Self.connection, "email": "Eve@Example.com", "password": "Correct-Horse-7",
                    "given_name": "Eve", "user_metadata": ["theme": "dark"], "app_metadata": ["plan": "gold"],
                ])
            #expect(answer.status == .created)
            let made = try answer.json()
            #expect(made["email"] == "eve@example.com" && made["email_verified"] == false)
            #expect(made["name"] == "eve@example.com" && made["nickname"] == "eve" && made["given_name"] == "Eve")
            let id = made["user_id"]?.string ?? ""
            #expect(id.wholeMatch(of: /auth0\|[0-9a-f]{24}/) != nil)
            #expect(
                made["identities"] == [
                    [
                        "connection": Self.connection, "provider": "auth0", "isSocial": false,
                        "user_id": .string(String(id.dropFirst(6))),
                    ]
                ])
            let browser = TestBrowser(server)
            let login = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            let signedIn = try await browser.logIn(login, email: "eve@example.com", password: "Correct-Horse-7")
            #expect(signedIn.query("code") != nil)
            let again = try await management.send(
                .post, "users",
                ["connection": Self.connection, "email": "eve@example.com", "password": "Correct-Horse-7"])
            #expect(again.status == .conflict)
            #expect(
                try again.json() == [
                    "statusCode": 409, "error": "Conflict", "message": "The user already exists.",
                    "errorCode": "auth0_idp_error",
                ])
        }
    }

    @Test(
        "A payload that does not do is refused with the property",
        arguments: [
            (#"{"email": "a@b.test"}"#, "Missing required property: connection"),
            (#"{"connection": "C", "email": "nobody"}"#, "must be an e-mail address' on property email"),
            (
                #"{"connection": "C", "email": "a@b.test", "app_metadata": {"user_id": 1}}"#,
                "on property app_metadata.user_id"
            ),
            (
                #"{"connection": "C", "email": "a@b.test", "user_metadata": {"a.b": 1}}"#,
                "on property user_metadata.a.b"
            ),
            (#"{"connection": "C", "username": "a@b.test"}"#, "on property username"),
        ])
    func payload(body: String, message: String) async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await server.post(
                "/api/v2/users", json: body, headers: [.authorization: "Bearer \(management.token)"])
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["message"]?.string?.contains(message) == true, "\(answer.text)")
        }
    }

    @Test("USR-5: a weak password is refused in Auth0's words")
    func weak() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(
                .post, "users", ["connection": Self.connection, "email": "eve@example.com", "password": "weak"])
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["message"] == "PasswordStrengthError: Password is too weak")
        }
    }

    @Test("PATCH merges metadata by its first level, null removes a key, and an empty object all of it")
    func metadata() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            _ = try await management.patch(Self.ada, ["app_metadata": ["a": 1, "b": ["c": 2]]])
            let changed = try await management.patch(
                Self.ada, ["app_metadata": ["a": nil, "b": ["d": 3]], "user_metadata": ["x": true]])
            #expect(changed["app_metadata"] == ["b": ["d": 3]] && changed["user_metadata"] == ["x": true])
            let cleared = try await management.patch(Self.ada, ["app_metadata": [:], "nickname": nil])
            #expect(cleared["app_metadata"] == nil && cleared["user_metadata"] == ["x": true])
            #expect(cleared["nickname"] == nil && cleared["given_name"] == "Ada")
        }
    }

    @Test("A new password ends the user's sessions and refresh tokens; a new address is not verified")
    func password() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let code = try await party.code(browser, ["scope": "openid offline_access"])
            let tokens = try await party.redeem(code).json()
            let refresh = tokens["refresh_token"]?.string ?? ""
            #expect(try await management.send(.patch, Self.ada, ["password": "Another-Engine-1844"]).status == .ok)
            #expect(try await party.refresh(refresh).status != .ok)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "login_required")
            let login = try await TestBrowser(server).get(party.authorizationURL())
            #expect(login.location?.hasPrefix("/u/login") == true)
            let moved = try await management.patch(Self.ada, ["email": "countess@example.com"])
            #expect(moved["email"] == "countess@example.com" && moved["email_verified"] == false)
            let both = try await management.send(
                .patch, Self.ada, ["email": "a@example.com", "password": "Another-Engine-1844"])
            #expect(both.status == .badRequest)
            let taken = try await management.send(.patch, Self.ada, ["email": "grace@example.com"])
            #expect(taken.status == .conflict)
        }
    }

    @Test("A new password takes back what would still become tokens: codes, and devices that were let in")
    func pending() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let management = try await ManagementClient(server)
            let (party, device) = (RelyingParty.regularWebApp(server), RelyingParty.television(server))
            let (redeemed, pending) = (
                try await party.code(TestBrowser(server)), try await party.code(TestBrowser(server))
            )
            let begun = try await DeviceFlowTests.begin(device)
            _ = try await DeviceFlowTests.letIn(TestBrowser(server), begun.userCode)
            #expect(try await party.redeem(redeemed).status == .ok)
            #expect(try await management.send(.patch, Self.ada, ["password": "Another-Engine-1844"]).status == .ok)
            #expect(try await party.redeem(pending).json()["error"] == "invalid_grant")
            let polled = try await DeviceFlowTests.poll(device, begun.deviceCode)
            #expect(try polled.json()["error"] == "invalid_grant")
        }
    }

    @Test("A password that an administrator sets ends the links to choose one")
    func resetLinks() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.send(
                .post, "tickets/password-change", ["user_id": .string(User.ada.id)])
            let url = try #require(try made.json()["ticket"]?.string)
            let path = String(url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }).replacing("#", with: "")
            #expect(try await TestBrowser(server).get(path).status == .ok)
            #expect(try await management.send(.patch, Self.ada, ["password": "Another-Engine-1844"]).status == .ok)
            #expect(try await TestBrowser(server).get(path).status == .badRequest)
        }
    }

    @Test("USR-3: blocking ends sessions at once, and DELETE takes everything along and is 204 again")
    func blockAndDelete() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let tokens = try await party.redeem(party.code(browser, ["scope": "openid offline_access"])).json()
            #expect(try await management.patch(Self.ada, ["blocked": true])["blocked"] == true)
            #expect(try await party.refresh(tokens["refresh_token"]?.string ?? "").status != .ok)
            #expect(try await management.patch(Self.ada, ["blocked": false])["blocked"] == nil)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "login_required")
            #expect(try await management.send(.delete, Self.ada).status == .noContent)
            #expect(try await management.send(.delete, Self.ada).status == .noContent)
            let gone = try await management.send(.get, Self.ada)
            #expect(gone.status == .notFound)
            #expect(try gone.json()["message"] == "The user does not exist.")
        }
    }

    @Test("People see and change their own account, and nobody else's")
    func own() async throws {
        try await TestServer.run { server in
            let audience = server.services.issuer.managementAudience
            let token =
                try await RelyingParty.regularWebApp(server).tokens([
                    "audience": audience, "scope": "openid read:current_user update:current_user_metadata",
                ])["access_token"]?.string ?? ""
            let person = ManagementClient(server, token: token)
            #expect(try await person.get(Self.ada)["email"] == "ada@example.com")
            #expect(try await person.send(.get, "users/\(User.grace.id.formEncoded)").status == .forbidden)
            #expect(try await person.send(.get, "users").status == .forbidden)
            #expect(try await person.patch(Self.ada, ["user_metadata": ["a": 1]])["user_metadata"] == ["a": 1])
            #expect(try await person.send(.patch, Self.ada, ["app_metadata": ["a": 1]]).status == .forbidden)
            #expect(try await person.send(.patch, Self.ada, ["email_verified": true]).status == .forbidden)
        }
    }

    @Test("users-by-email: exactly that address, as it is stored")
    func byEmail() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(
                try await management.list("users-by-email?email=ada%40example.com&fields=user_id")
                    == [["user_id": .string(User.ada.id)]])
            #expect(try await management.list("users-by-email?email=Ada%40example.com").isEmpty)
            #expect(try await management.send(.get, "users-by-email").status == .badRequest)
        }
    }

    @Test("Roles and permissions of a user, with where they come from")
    func authorization() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let role = try await management.post("roles", ["name": "Patient", "description": "Sees"])
            let id = role["id"]?.string ?? ""
            let notes: JSONValue = [
                "permissions": [
                    ["resource_server_identifier": "appointments:api", "permission_name": "read:notes"]
                ]
            ]
            #expect(try await management.send(.post, "roles/\(id)/permissions", notes).status == .created)
            #expect(
                try await management.send(.post, "\(Self.ada)/roles", ["roles": [.string(id)]]).status == .noContent)
            #expect(try await management.send(.post, "\(Self.ada)/permissions", notes).status == .created)
            #expect(try await management.list("\(Self.ada)/roles") == [role])
            let permission = try #require(try await management.list("\(Self.ada)/permissions").first)
            #expect(
                permission["permission_name"] == "read:notes" && permission["resource_server_name"] == "Appointments")
            #expect(
                permission["sources"]?.array?.compactMap { $0.object?["source_type"]?.string } == ["DIRECT", "ROLE"])
            let unknown: JSONValue = [
                "permissions": [["resource_server_identifier": "appointments:api", "permission_name": "fly"]]
            ]
            let refused = try await management.send(.post, "\(Self.ada)/permissions", unknown)
            #expect(refused.status == .notFound)
            #expect(try refused.json()["message"] == "This permission does not exist: 'appointments:api - fly'")
            #expect(try await management.send(.delete, "\(Self.ada)/permissions", notes).status == .noContent)
            #expect(
                try await management.send(.delete, "\(Self.ada)/roles", ["roles": [.string(id)]]).status == .noContent)
            #expect(try await management.list("\(Self.ada)/permissions").isEmpty)
        }
    }
}

@Suite("Management API: several accounts, one user")
struct ManagementIdentitiesTests {
    private static let (ada, grace) = ("users/\(User.ada.id.formEncoded)", "users/\(User.grace.id.formEncoded)")

    private func signIn(_ server: TestServer, _ email: String, _ password: String) async throws -> String? {
        let (browser, party) = (TestBrowser(server), RelyingParty.regularWebApp(server))
        let answer = try await browser.logIn(
            browser.get(party.authorizationURL()), email: email, password: password)
        return try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string?.claims["sub"]?.string
    }

    @Test("QK-6: a linked account is one of the user's identities, signs in as the user, and is no user any more")
    func link() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(
                .post, "\(Self.ada)/identities", ["provider": "auth0", "user_id": .string(User.grace.id)])
            #expect(answer.status == .created)
            let identities = try JSON.decode([JSONValue].self, from: answer.text)
            #expect(identities.map { $0.object?["user_id"]?.string?.first } == ["a", "b"])
            #expect(identities[1].object?["profileData"]?.object?["email"] == "grace@example.com")
            #expect(try await management.send(.get, Self.grace).status == .notFound)
            #expect(try await management.list("users?q=email:grace@example.com").isEmpty)
            #expect(try await management.get(Self.ada)["identities"]?.array?.count == 2)
            #expect(try await signIn(server, "grace@example.com", User.gracePassword) == User.ada.id)
            let again = try await management.send(
                .post, "\(Self.ada)/identities",
                ["provider": "auth0", "user_id": .string(String(User.grace.id.dropFirst(6)))])
            #expect(again.status == .conflict)
            let path = "\(Self.ada)/identities/auth0/\(User.grace.id.dropFirst(6))"
            let unlinked = try await management.send(.delete, path)
            #expect(unlinked.status == .ok)
            #expect(try JSON.decode([JSONValue].self, from: unlinked.text).count == 1)
            #expect(try await signIn(server, "grace@example.com", User.gracePassword) == User.grace.id)
            #expect(try await management.send(.delete, path).status == .notFound)
        }
    }

    @Test("A person links an account by proving that it is theirs, and cannot take another's by naming it")
    func linkOwn() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let token =
                try await party.tokens([
                    "audience": server.services.issuer.managementAudience,
                    "scope": "openid update:current_user_identities",
                ])["access_token"]?.string ?? ""
            let person = ManagementClient(server, token: token)
            let named = try await person.send(
                .post, "\(Self.ada)/identities", ["provider": "auth0", "user_id": .string(User.grace.id)])
            #expect(named.status == .badRequest)
            let browser = TestBrowser(server)
            let answer = try await browser.logIn(
                browser.get(party.authorizationURL()), email: "grace@example.com", password: User.gracePassword)
            let tokens = try await party.redeem(answer.query("code") ?? "").json()
            let proof: JSONValue = ["link_with": .string(tokens["id_token"]?.string ?? "")]
            #expect(try await person.send(.post, "\(Self.ada)/identities", proof).status == .created)
            let access = try await ManagementClient(server).get("users?include_totals=true")["total"]
            #expect(access == 1)
        }
    }

    @Test("A user goes with every identity")
    func delete() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            _ = try await management.send(
                .post, "\(Self.ada)/identities", ["provider": "auth0", "user_id": .string(User.grace.id)])
            #expect(try await management.send(.delete, Self.ada).status == .noContent)
            let left = try await server.services.stores.database.read { try UserStore.exists(User.grace.id, in: $0) }
            #expect(!left)
        }
    }
}
