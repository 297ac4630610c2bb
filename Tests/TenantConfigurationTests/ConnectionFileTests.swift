import AuthorizationServer
import Connections
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Connections to other providers in a tenant file")
struct ConnectionFileTests {
    private static let strategies = Strategies.all()

    private static func yaml(_ options: String) -> String {
        shop.replacing(
            "connections: []",
            with: """
                connections:
                  - name: github
                    strategy: github
                    enabled_clients: [Web]
                    options:
                      client_id: portico
                \(options)
                """)
    }

    private static func plan(_ tenant: Tenant, _ yaml: String) async throws -> Plan {
        let file = try TenantFile(yaml: yaml, name: "tenant.yaml", environment: [:])
        return try await Plan.make(
            file, stores: tenant.stores, box: Tenant.box, strategies: strategies, allowDelete: false)
    }

    private static func secrets(_ tenant: Tenant) async throws -> JSONObject? {
        try await tenant.stores.connections.sealedSecrets(of: "github").map {
            try JSON.decode(JSONObject.self, from: Tenant.box.open($0))
        }
    }

    @Test("A secret is sealed, named in the plan without its value, and in no export")
    func secret() async throws {
        try await Tenant.run { tenant in
            let first = try await Self.plan(tenant, Self.yaml("      client_secret: upstream-secret"))
            #expect(first.differences(of: "github").contains { $0.contains("client_secret") })
            #expect(!"\(first)".contains("upstream-secret"))
            #expect(!first.notApplied.contains { $0.contains("github") })
            _ = try await first.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await Self.secrets(tenant) == ["client_secret": "upstream-secret"])
            let export = try await tenant.export()
            #expect(export.contains("strategy: github") && !export.contains("upstream-secret"))
            #expect(try await Self.plan(tenant, export).changes.isEmpty)
            #expect(try await Self.plan(tenant, Self.yaml("      client_secret: upstream-secret")).changes.isEmpty)
            let changed = try await Self.plan(tenant, Self.yaml("      client_secret: another"))
            #expect(changed.differences(of: "github").count == 1)
            _ = try await changed.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await Self.secrets(tenant) == ["client_secret": "another"])
        }
    }

    @Test("A file that sends the secret to another server takes it away, and says so")
    func movedSecret() async throws {
        try await Tenant.run { tenant in
            let first = try await Self.plan(tenant, Self.yaml("      client_secret: upstream-secret"))
            _ = try await first.apply(to: tenant.stores, at: Tenant.now)
            let moved = try await Self.plan(tenant, Self.yaml("      base_url: https://git.example.com"))
            #expect(moved.differences(of: "github").contains { $0.contains("client_secret") })
            _ = try await moved.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await Self.secrets(tenant) == nil)
        }
    }

    @Test("A rollback keeps a secret that was replaced since, and sends it to nobody whom it was not given for")
    func rollback() async throws {
        for (base, stays) in [("https://git.example.com", false), ("https://github.com", true)] {
            try await Tenant.run { tenant in
                let first = Self.yaml("      client_secret: first-secret\n      base_url: https://github.com")
                _ = try await Self.plan(tenant, first).apply(to: tenant.stores, at: Tenant.now)
                let second = Self.yaml("      client_secret: second-secret\n      base_url: \(base)")
                _ = try await Self.plan(tenant, second).apply(to: tenant.stores, at: Tenant.now)
                let newest = try Tenant.box.seal(#"{"client_secret":"newest-secret"}"#)
                try await tenant.stores.database.write { transaction in
                    try transaction.execute("UPDATE connection SET sealed_secrets = \(newest) WHERE name = 'github'")
                }
                let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
                #expect(!plan.text.contains(newest))
                #expect(plan.text.contains("options (secrets) was replaced since that apply"), "\(plan.text)")
                #expect(plan.text.contains("it goes, and is to be set anew") == !stays, "\(plan.text)")
                _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
                #expect(try await Self.secrets(tenant) == (stays ? ["client_secret": "newest-secret"] : nil))
            }
        }
    }

    @Test("Options with which nobody could sign in are problems at their place; other strategies are kept and named")
    func problems() async throws {
        try await Tenant.run { tenant in
            let error = await #expect(throws: TenantFileError.self) {
                _ = try await Self.plan(tenant, Self.yaml("      base_url: ftp://git.example.com"))
            }
            #expect(error?.problems.contains { $0.path.hasSuffix("options.base_url") } == true)
            let twitter = try await Self.plan(
                tenant, Self.yaml("").replacing("strategy: github", with: "strategy: twitter"))
            #expect(twitter.notApplied.contains { $0.contains("twitter") })
        }
    }
}
