import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("An apply is in the history and can be taken back")
struct HistoryTests {
    @Test("A rollback gives every resource back that an apply created, changed or deleted, and its secret")
    func rollback() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let (before, robot) = (try await tenant.export(), try await tenant.client("Robot"))
            try await tenant.apply(
                """
                tenant: {friendly_name: Other}
                resourceServers: [{identifier: other, scopes: [{value: read}]}]
                clients:
                  - {name: Robot, client_id: robot-id, client_secret: another-secret-0123456789}
                  - {name: New, app_type: spa}
                roles: [{name: Reader, permissions: [{resource_server_identifier: other, permission_name: read}]}]
                clientGrants: [{client_id: Robot, audience: other, scope: [read]}]
                databases: [{name: Users, options: {disable_signup: true}}]
                """, delete: true)
            #expect(try await tenant.export() != before)
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            #expect(plan.text.contains("client_secret: (the one before)"))
            #expect(plan.text.contains("- application New") && plan.text.contains("+ application Web"))
            #expect(!plan.text.contains(robot?.secretDigest ?? "?"))
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.export() == before)
            #expect(try await tenant.client("Robot")?.secretDigest == robot?.secretDigest)
            #expect(try await tenant.plan(shop, delete: true).isEmpty)
        }
    }

    @Test("Rollbacks go back one apply after the other, and end with none")
    func stepByStep() async throws {
        try await Tenant.run { tenant in
            let empty = try await tenant.export()
            try await tenant.apply("roles: [{name: A}]")
            let one = try await tenant.export()
            try await tenant.apply("roles: [{name: B}]", delete: true)
            for expected in [one, empty] {
                _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box).apply(
                    to: tenant.stores, at: Tenant.now)
                #expect(try await tenant.export() == expected)
            }
            await #expect(throws: Plan.NothingToRollBack.self) {
                _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            }
        }
    }

    @Test("The history says when, who and how much; it forgets the oldest, and an apply that changes nothing")
    func history() async throws {
        try await Tenant.run { tenant in
            for index in 0..<(ConfigurationHistoryStore.most + 2) {
                let plan = try await tenant.plan("tenant: {friendly_name: Name \(index)}")
                _ = try await plan.apply(to: tenant.stores, at: Tenant.now, by: "ada")
            }
            try await tenant.apply("tenant: {friendly_name: Name \(ConfigurationHistoryStore.most + 1)}")
            let applies = try await tenant.stores.configurationHistory.list()
            #expect(applies.count == ConfigurationHistoryStore.most)
            #expect(applies.first?.appliedBy == "ada" && applies.first?.changes == 1)
            #expect(applies.first?.appliedAt == Tenant.now && applies.first?.rolledBackAt == nil)
            #expect(applies.first?.summary.contains("friendly_name") == true)
        }
    }

    @Test("A rollback that somebody's change comes before is out of date")
    func outdated() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("roles: [{name: A}]")
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            try await tenant.apply("roles: [{name: B}]")
            await #expect(throws: Plan.Outdated.self) { _ = try await plan.apply(to: tenant.stores, at: Tenant.now) }
        }
    }

    @Test("What the history keeps of secrets is sealed")
    func sealed() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let apply = try #require(try await tenant.stores.configurationHistory.list().first)
            let digest = try #require(try await tenant.client("Web")?.secretDigest)
            #expect(try Tenant.box.open(apply.sealedRows).contains(digest))
            #expect(!apply.sealedRows.contains(digest) && !apply.summary.contains(digest))
        }
    }
}
