import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Actions around new users and passwords")
struct RegistrationScriptTests {
    private static func signUp(_ server: TestServer, _ email: String) async throws -> TestResponse {
        let browser = TestBrowser(server)
        let started = try await browser.get(
            RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
        return try await browser.submit(
            started, [("email", email), ("password", "Difference-Engine-1822"), ("action", "default")])
    }

    private static func user(_ server: TestServer, _ email: String) async throws -> User? {
        try await server.services.stores.users.find(connection: Connection.database.name, identifier: email)?.user
    }

    @Test("pre-user-registration notes metadata, and refuses in its own words on the page and to the API")
    func before() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                """
                if (!event.user.email.endsWith('@example.com')) {
                  api.access.deny('domain', 'Only <b>staff</b> may sign up.');
                }
                api.user.setAppMetadata('source', event.connection.name);
                api.user.setUserMetadata('client', event.client.client_id);
                """, to: .preUserRegistration)
            let refused = try await Self.signUp(server, "new@example.org")
            #expect(
                refused.status == .badRequest && refused.text.contains("Only &lt;b&gt;staff&lt;/b&gt; may sign up."))
            #expect(try await Self.user(server, "new@example.org") == nil)
            let event = try #require(try await server.logEvents().last { $0.type == "fs" })
            #expect(event.description == "domain")
            let answer = try await server.post(
                "/dbconnections/signup",
                json: """
                    {"client_id": "regular-web-app", "connection": "Username-Password-Authentication",
                    "email": "new@example.org", "password": "Difference-Engine-1822"}
                    """)
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["description"] == "Only <b>staff</b> may sign up.")

            #expect(try await Self.signUp(server, "new@example.com").status == .found)
            let user = try #require(try await Self.user(server, "new@example.com"))
            #expect(user.appMetadata == ["source": .string(Connection.database.name)])
            #expect(user.userMetadata == ["client": "regular-web-app"])
        }
    }

    @Test("post-user-registration hears of the user afterwards, and what it does wrong stops nobody")
    func afterwards() async throws {
        let web = SimulatedWeb()
        web.put("{}", at: "https://crm.example.com/")
        try await ScriptedTenant.run(outbound: web) { server in
            try await server.bind(
                """
                await fetch('https://crm.example.com/', { method: 'POST', body: event.user.user_id });
                throw new Error('afterwards');
                """, to: .postUserRegistration)
            #expect(try await Self.signUp(server, "new@example.com").location?.contains("/authorize/resume") == true)
            let user = try #require(try await Self.user(server, "new@example.com"))
            var failed = false
            for _ in 0..<3000 where !failed {
                failed = try await server.logTypes().contains("actions_execution_failed")
                if !failed { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(failed)
            let sent = web.requests.compactMap { request in
                if case .custom("POST", let body) = request.method { body } else { nil }
            }
            #expect(sent == [Data(user.id.utf8)])
        }
    }

    @Test(
        "Users whom the Management API makes pass the same actions: refused in their words, with what they note, and told of"
    )
    func management() async throws {
        let web = SimulatedWeb()
        web.put("{}", at: "https://crm.example.com/")
        try await ScriptedTenant.run(outbound: web) { server in
            try await server.bind(
                [
                    (
                        name: "Before",
                        code: """
                        exports.onExecutePreUserRegistration = async (event, api) => {
                          if (event.user.email === 'broken@example.com') throw new Error('secret');
                          if (event.user.email === 'out@example.com') api.access.deny('domain', 'Not here');
                          if (event.client !== undefined || event.user.user_id !== undefined) api.access.deny('known');
                          api.user.setAppMetadata('noted', event.connection.name);
                          api.user.setUserMetadata('theme', null);
                        };
                        """
                    )
                ], to: .preUserRegistration)
            try await server.bind(
                [
                    (
                        name: "After",
                        code: """
                        exports.onExecutePostUserRegistration = async (event, api) => {
                          await fetch('https://crm.example.com/', { method: 'POST', body: event.user.user_id });
                        };
                        """
                    )
                ], to: .postUserRegistration)
            let management = try await ManagementClient(server)
            func make(_ email: String) async throws -> TestResponse {
                try await management.send(
                    .post, "users",
                    [
                        "connection": .string(Connection.database.name), "email": .string(email),
                        "password": "Difference-Engine-1822", "user_metadata": ["theme": "dark"],
                        "app_metadata": ["plan": "gold"],
                    ])
            }
            let refused = try await make("out@example.com")
            #expect(refused.status == .badRequest)
            #expect(
                try refused.json() == [
                    "statusCode": 400, "error": "Bad Request", "message": "Not here",
                    "errorCode": "extensibility_error",
                ])
            let broken = try await make("broken@example.com")
            #expect(broken.status == .badRequest && !broken.text.contains("secret"))
            for email in ["out@example.com", "broken@example.com"] {
                #expect(try await Self.user(server, email) == nil)
            }

            let made = try await make("new@example.com").json()
            let user = try #require(try await Self.user(server, "new@example.com"))
            let metadata: JSONObject = ["plan": "gold", "noted": .string(Connection.database.name)]
            #expect(user.appMetadata == metadata && made["app_metadata"] == .object(metadata))
            #expect(user.userMetadata.isEmpty)
            func told() -> [Data?] {
                web.requests.compactMap { if case .custom("POST", let body) = $0.method { body } else { nil } }
            }
            for _ in 0..<3000 where told().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            #expect(told() == [Data(user.id.utf8)])
        }
    }
}
