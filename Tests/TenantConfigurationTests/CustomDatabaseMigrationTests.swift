import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Custom databases from an export of Auth0's")
struct CustomDatabaseMigrationTests {
    private static func files(imports: Bool) -> [String: String] {
        [
            "tenant.json": #"{"friendly_name": "Shop"}"#,
            "database-connections/Legacy/database.json": """
            {"name": "Legacy", "strategy": "auth0",
             "options": {"enabledDatabaseCustomization": true, "import_mode": \(imports),
                         "configuration": {"KEY": "2.0$0a0b$0c0d$0e0f", "HOST": "users.example.com"},
                         "customScripts": {"login": "./login.js"}}}
            """,
            "database-connections/Legacy/login.js":
                "function login(email, password, callback) {\n  require('mysql'); require(\"crypto\");\n}",
        ]
    }

    @Test("Scripts are kept; encrypted values and modules that are not there are named", arguments: [true, false])
    func report(imports: Bool) async throws {
        try await Tenant.run { tenant in
            for (path, text) in Self.files(imports: imports) { try tenant.write(text, to: "export/\(path)") }
            let migration = try await Auth0Migration.make(
                export: tenant.folder.appending(path: "export"), environment: [:],
                source: Auth0Migration.Source(
                    domain: "old.example.com", clientID: "importer", clientSecret: nil, createsUsers: false),
                stores: tenant.stores,
                box: Tenant.box)
            #expect(migration.leftOut.contains { $0.hasPrefix("database Legacy options.configuration.KEY: ") })
            #expect(migration.changed.contains { $0.contains("the script login needs mysql, which") })
            #expect(!migration.changed.contains { $0.contains("crypto") })
            _ = try await migration.plan.apply(to: tenant.stores, at: Tenant.now)
            let connection = try #require(try await tenant.stores.connections.find(name: "Legacy"))
            // Where the other database has the passwords for good, no old tenant is asked.
            #expect((connection.externalDatabase != nil) == !imports)
            #expect((connection.importSource != nil) == imports && connection.importingDatabase == nil)
            let sealed = try #require(try await tenant.stores.connections.sealedSecrets(of: "Legacy"))
            let secrets = try JSON.decode(JSONObject.self, from: Tenant.box.open(sealed))
            #expect(secrets == ["configuration": ["HOST": "users.example.com"]])
        }
    }
}
