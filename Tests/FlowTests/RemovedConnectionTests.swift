import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Every request finds the connection before it is removed, and would make its user afterwards.
@Suite("A connection that goes while somebody becomes its user leaves nobody behind")
struct RemovedConnectionTests {
    /// Removes a connection as another node does, of which this one has not heard yet.
    private static func remove(_ name: String, _ server: TestServer) async throws {
        _ = try await server.services.configuration.connections()
        try await server.services.stores.database.write { transaction in
            try transaction.execute("DELETE FROM connection WHERE name = \(name)")
        }
    }

    private static func users(of connection: String, _ server: TestServer) async throws -> Int {
        try await server.services.stores.users.list(limit: 100).count { $0.connection == connection }
    }

    @Test("Passwordless, at the token endpoint and on the page")
    func passwordless() async throws {
        try await TestServer.run(PasswordlessTests.fixtures()) { server in
            let browser = TestBrowser(server)
            let path = try await PasswordlessTests.page(browser)
            _ = try await PasswordlessTests.ask(browser, path, [("address", "new@example.com"), ("action", "send")])
            let code = try await PasswordlessTests.code(server, to: "new@example.com")
            _ = try await PasswordlessTests.start(server)
            let other = try await PasswordlessTests.code(server, to: "new@example.com")
            try await Self.remove("email", server)
            #expect(try await PasswordlessTests.verify(browser, path, code).query("code") == nil)
            let answer = try await PasswordlessTests.redeem(server, other).json()
            #expect(answer["error_description"] == "Wrong email or verification code.")
            #expect(try await Self.users(of: "email", server) == 0)
        }
    }

    @Test("A first login that an old tenant vouches for")
    func oldTenant() async throws {
        try await PasswordImportTests.run(createsUsers: true) { server, web in
            try PasswordImportTests.accept(web, ["sub": "auth0|new", "email": "new@example.com"])
            try await Self.remove(Connection.database.name, server)
            let answer = try await PasswordImportTests.logIn(server, "new@example.com")
            #expect(answer.status == .badRequest && answer.text.contains("Wrong email or password"))
            #expect(try await server.services.stores.users.find("auth0|new") == nil)
        }
    }

    /// Removes the connection while an action before the registration asks it something.
    private struct RemovingWeb: OutboundHTTP {
        let remove = OnceBox()

        func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
            await remove.run()
            return OutboundResponse(status: 200, body: Data("{}".utf8), contentType: "application/json")
        }
    }

    private actor OnceBox {
        private var body: (@Sendable () async throws -> Void)?

        func set(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

        func run() async {
            do { try await body?() } catch { Issue.record(error) }
        }
    }

    @Test("The Management API, which reads the connection anew each time")
    func management() async throws {
        let web = RemovingWeb()
        try await ScriptedTenant.run(outbound: web) { server in
            try await server.bind("await fetch('https://hook.example.com/');", to: .preUserRegistration)
            let management = try await ManagementClient(server)
            await web.remove.set { try await Self.remove(Connection.database.name, server) }
            let answer = try await management.send(
                .post, "users",
                [
                    "connection": .string(Connection.database.name), "email": "new@example.com",
                    "password": "Difference-Engine-1822",
                ])
            #expect(answer.status == .notFound)
            #expect(try answer.json()["message"] == "The connection does not exist")
            let addresses = try await server.services.stores.users.list(limit: 100).map(\.email)
            #expect(!addresses.contains("new@example.com"))
        }
    }
}
