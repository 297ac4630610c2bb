import Foundation
import OAuth
import Storage
import StorageTesting
import TenantConfiguration
import Testing

@Suite("A plan is applied as a whole")
struct TransactionTests {
    @Test("Where one change fails, none is made")
    func allOrNothing() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("resourceServers: [{identifier: api, scopes: [{value: read}]}]")
            let plan = try await tenant.plan(
                """
                clients: [{name: Robot, app_type: non_interactive}]
                clientGrants: [{client_id: Robot, audience: api, scope: [read]}]
                """)
            // The API goes without a trace, so the grant has nothing to point to.
            try await tenant.stores.database.write { transaction in
                _ = try transaction.execute("DELETE FROM resource_server")
            }
            let version = try await tenant.stores.tenant.configurationVersion()
            await #expect(throws: SQLError.foreignKeyViolation) {
                try await plan.apply(to: tenant.stores, at: Tenant.now)
            }
            #expect(try await tenant.stores.clients.list().isEmpty)
            #expect(try await tenant.stores.tenant.configurationVersion() == version)
        }
    }

    @Test(
        "A plan is out of date after any other change, and then changes nothing",
        arguments: [
            "tenant: {friendly_name: B}", "roles: [{name: B}]", "roles: []", "clients: [{name: B, app_type: spa}]",
            "resourceServers: [{identifier: b}]", "databases: [{name: B}]",
        ])
    func outdated(other: String) async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("roles: [{name: A}]")
            let plan = try await tenant.plan("tenant: {friendly_name: A}")
            try await tenant.apply(other, delete: true)
            let before = try await tenant.export()
            let error = await #expect(throws: Plan.Outdated.self) {
                try await plan.apply(to: tenant.stores, at: Tenant.now)
            }
            #expect(error?.description.contains("Run apply again") == true)
            #expect(try await tenant.export() == before)
        }
    }

    @Test("Applying a plan makes the running servers read the configuration anew")
    func version() async throws {
        try await Tenant.run { tenant in
            for yaml in ["roles: [{name: A}]", "clients: [{name: B, app_type: spa}]"] {
                let version = try await tenant.stores.tenant.configurationVersion()
                try await tenant.apply(yaml)
                #expect(try await tenant.stores.tenant.configurationVersion() > version)
                let after = try await tenant.stores.tenant.configurationVersion()
                try await tenant.apply(yaml)
                #expect(try await tenant.stores.tenant.configurationVersion() == after)
            }
        }
    }

    @Test("Of two processes that apply at once, one is told that its plan is out of date")
    func twoProcesses() async throws {
        try await Tenant.run { tenant in
            let other = try await tenant.scratch.open()
            defer { try? other.close() }
            let second = Tenant(folder: tenant.folder, scratch: tenant.scratch, stores: Stores(database: other))
            for round in 0..<10 {
                let plans = [
                    (try await tenant.plan("roles: [{name: First \(round)}]"), tenant),
                    (try await second.plan("roles: [{name: Second \(round)}]"), second),
                ]
                let applied = await withTaskGroup(of: Bool.self) { group in
                    for (plan, tenant) in plans {
                        group.addTask { (try? await plan.apply(to: tenant.stores, at: Tenant.now)) != nil }
                    }
                    return await group.reduce(into: 0) { count, didApply in count += didApply ? 1 : 0 }
                }
                #expect(applied == 1)
                #expect(try await tenant.roles().count == round + 1)
                #expect(try await tenant.export() == second.export())
            }
        }
    }
}
