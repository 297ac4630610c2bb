import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("portico apply and the tenant's own API")
struct SystemAPITests {
    private static let grant = """
        clients:
          - name: Robot
            client_id: robot-id
            app_type: non_interactive
        clientGrants:
          - client_id: Robot
            audience: https://login.example.com/api/v2/
            scope: ["read:clients"]
        """

    private func prepare(_ tenant: Tenant) async throws {
        try await SystemAPI.prepare(tenant.stores, issuer: Issuer("https://login.example.com/"), moves: true)
    }

    @Test("It is granted like any other API, is not exported, and stays where everything else is deleted")
    func lifecycle() async throws {
        try await Tenant.run { tenant in
            try await prepare(tenant)
            try await tenant.apply(Self.grant)
            #expect(try await tenant.grants().map(\.audience) == ["https://login.example.com/api/v2/"])
            #expect(try await !tenant.export().contains("is_system"))
            try await tenant.apply("resourceServers: []\nclientGrants: []", delete: true)
            #expect(try await tenant.resourceServers().map(\.resourceServer.isSystem) == [true])
            #expect(try await tenant.grants().isEmpty)
        }
    }

    @Test("A file cannot change it")
    func change() async throws {
        try await Tenant.run { tenant in
            try await prepare(tenant)
            let plan = try await tenant.plan(
                "resourceServers: [{identifier: 'https://login.example.com/api/v2/', scopes: []}]")
            #expect(plan.changes.isEmpty)
            #expect(plan.notApplied.count == 1)
        }
    }

    @Test("A grant for users is not applied as one for the application itself")
    func userGrant() async throws {
        try await Tenant.run { tenant in
            try await prepare(tenant)
            let plan = try await tenant.plan(
                Self.grant.replacing("    scope:", with: "    subject_type: user\n    scope:"))
            #expect(plan.changes.map(\.type) == [.clients])
            #expect(plan.notApplied.first?.contains("subject_type") == true)
        }
    }
}
