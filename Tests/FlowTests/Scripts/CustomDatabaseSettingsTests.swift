import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Settings of a custom database")
struct CustomDatabaseSettingsTests {
    @Test("The configuration of the scripts is shown nowhere, kept by changes that do not name it, and changed by name")
    func configuration() async throws {
        try await LegacyDatabase.run { server, database in
            let management = try await ManagementClient(server)
            let connection = try #require(
                try await server.services.stores.connections.find(name: Connection.database.name))
            let shown = try await management.send(.get, "connections/\(connection.id)")
            let options = try shown.json()["options"]?.object
            #expect(options?["customScripts"] != nil && options?["configuration"] == nil)
            #expect(!shown.text.contains(LegacyDatabase.key))
            func change(_ configuration: JSONValue?) async throws -> TestResponse {
                var options = connection.options
                options["configuration"] = configuration
                return try await management.send(
                    .patch, "connections/\(connection.id)", ["options": .object(options)])
            }
            #expect(try await change(nil).status == .ok)
            #expect(try await server.pageLogin().isIn)
            let changed = try await change(["OTHER": "a value"])
            #expect(changed.status == .ok && !changed.text.contains("a value"))
            #expect(try await server.pageLogin().isIn)
            #expect(try await change(["KEY": 5]).status == .badRequest)
            #expect(try await change(["KEY": "2.0$0a$0b$0c"]).status == .badRequest)
            #expect(try await change(["KEY": "wrong"]).status == .ok)
            #expect(try await server.pageLogin().status == 503)
            #expect(try await change(["KEY": .string(LegacyDatabase.key)]).status == .ok)
            #expect(try await server.pageLogin().isIn)
            #expect(try await change(.null).status == .ok)
            #expect(try await server.pageLogin().status == 503)
            #expect(database.rows.count == 1)
            let document = try await server.services.stores.database.read { transaction in
                try transaction.rows("SELECT document, sealed_secrets FROM connection").map { row in
                    try row.text("document") + (row.optionalText("sealed_secrets") ?? "")
                }
            }
            #expect(!document.joined().contains("a value") && !document.joined().contains(LegacyDatabase.key))
        }
    }

    @Test("A script that is no function is refused when it is saved, with the line")
    func syntax() async throws {
        try await LegacyDatabase.run { server, _ in
            let management = try await ManagementClient(server)
            for (script, cause) in [
                ("function login(email, password, callback) {\n  callback(;\n}", "line 2"),
                ("42", "is no function"), ("function login() {} }", "SyntaxError"),
            ] {
                let answer = try await management.send(
                    .post, "connections",
                    [
                        "name": "Broken", "strategy": "auth0",
                        "options": ["customScripts": ["login": .string(script)]],
                    ])
                #expect(answer.status == .badRequest)
                let message = try answer.json()["message"]?.string ?? ""
                #expect(message.contains("options.customScripts.login") && message.contains(cause), "\(message)")
            }
        }
    }
}
