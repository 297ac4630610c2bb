import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("POST /dbconnections/signup")
struct DatabaseSignupTests {
    private static func signUp(
        _ server: TestServer, _ changes: [String: JSONValue?] = [:]
    ) async throws -> TestResponse {
        var body: JSONObject = [
            "client_id": "single-page-app", "connection": .string(Connection.database.name),
            "email": "New@example.com", "password": "Difference-Engine-1822",
        ]
        for (name, value) in changes { body[name] = value }
        return try await server.post("/dbconnections/signup", json: JSON.text(body))
    }

    @Test("SU-1: the user is made and shown without a prefix, nobody is signed in, and the address is to be verified")
    func signUp() async throws {
        try await TestServer.run { server in
            let answer = try await Self.signUp(
                server, ["given_name": "Charles", "user_metadata": ["plan": "silver"]])
            let body = try answer.json()
            #expect(answer.status == .ok && answer.headers[.setCookie] == nil)
            #expect(body["email"] == "new@example.com" && body["email_verified"] == false)
            #expect(body["given_name"] == "Charles" && body["user_metadata"] == ["plan": "silver"])
            let id = try #require(body["_id"]?.string)
            #expect(id.wholeMatch(of: /[0-9a-f]{24}/) != nil)
            let user = try #require(try await server.services.stores.users.find("auth0|\(id)"))
            #expect(user.profile["given_name"] == "Charles" && user.userMetadata == ["plan": "silver"])
            #expect(try await server.mails(to: "new@example.com").map(\.kind) == [.verifyEmail])
            #expect(try await server.logTypes() == ["ss"])
        }
    }

    @Test("SU-2: a user who exists reads like any other failure, unless the tenant says otherwise")
    func exists() async throws {
        for isTold in [false, true] {
            var fixtures = Fixtures()
            if isTold { fixtures.settings.other["flags"] = ["enable_public_signup_user_exists_error": true] }
            try await TestServer.run(fixtures) { server in
                let answer = try await Self.signUp(server, ["email": "ada@example.com"])
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["code"] == (isTold ? "user_exists" : "invalid_signup"))
                #expect(try await server.mails().isEmpty)
            }
        }
    }

    @Test("SU-3: a weak password is refused with the rules, and Auth0's words")
    func weak() async throws {
        try await TestServer.run { server in
            let body = try await Self.signUp(server, ["password": "short"]).json()
            #expect(body["name"] == "PasswordStrengthError" && body["code"] == "invalid_password")
            #expect(body["policy"]?.string?.contains("* At least 8 characters") == true)
        }
    }

    @Test("SU-4: closed connections, foreign ones and wrong members are refused")
    func refusals() async throws {
        var fixtures = Fixtures()
        var closed = Connection(id: "con_2", name: "Closed", strategy: Connection.databaseStrategy)
        closed.enabledClients = ["single-page-app"]
        closed.options = ["disable_signup": true]
        fixtures.connections.append(closed)
        try await TestServer.run(fixtures) { server in
            for (changes, code) in [
                (["connection": "Closed"], "public_signup_disabled"), (["connection": "none"], "invalid_connection"),
                (["client_id": "machine"], "invalid_connection"), (["client_id": "none"], "invalid_client"),
                (["email": nil], "invalid_body"), (["password": nil], "invalid_body"),
                (["email": "no address"], "invalid_body"), (["user_metadata": ["a": 1]], "invalid_body"),
                (["given_name": 1], "invalid_body"),
            ] as [([String: JSONValue?], String)] {
                let answer = try await Self.signUp(server, changes)
                #expect(try answer.json()["code"] == .string(code), "\(changes)")
                #expect(answer.status == (code == "invalid_client" ? .unauthorized : .badRequest))
            }
        }
    }
}
