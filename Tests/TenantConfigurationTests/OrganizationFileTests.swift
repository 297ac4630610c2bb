import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Organizations of a tenant file")
struct OrganizationFileTests {
    private static let grants = """
        clientGrants:
          - client_id: Robot
            audience: https://orders.example.com
            scope: ["read:orders"]
            organization_usage: allow
        """
    private static let acme = """
        organizations:
          - name: acme
            display_name: Acme
            branding: {colors: {primary: "#102030", page_background: "#ffffff"}}
            metadata: {plan: gold}
            connections:
              - name: Users
                assign_membership_on_login: true
                is_signup_enabled: true
            client_grants: [{client_id: Robot}]
            discovery_domains: []
          - name: globex
        """

    private static func run(_ body: (Tenant) async throws -> Void) async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            try await tenant.apply(Self.grants + "\n" + Self.acme)
            try await body(tenant)
        }
    }

    private static func organization(_ name: String, _ tenant: Tenant) async throws -> Organization? {
        try await tenant.stores.database.read { try OrganizationStore.find(name: name, in: $0) }
    }

    @Test("An organization with its connections and client grants is applied, and applied again changes nothing")
    func apply() async throws {
        try await Self.run { tenant in
            let acme = try #require(try await Self.organization("acme", tenant))
            #expect(acme.id.hasPrefix("org_") && acme.displayName == "Acme" && acme.metadata == ["plan": "gold"])
            let (connections, grants) = try await tenant.stores.database.read { transaction in
                (
                    try OrganizationStore.connections(of: acme.id, in: transaction),
                    try OrganizationStore.clientGrants(of: acme.id, in: transaction)
                )
            }
            #expect(connections.map(\.assignsMembershipOnLogin) == [true])
            #expect(grants.map(\.clientID) == ["robot-id"])
            #expect(try await tenant.plan(Self.acme, delete: true).isEmpty)
        }
    }

    @Test("A list that an entry has is whole; one that it leaves out stays")
    func lists() async throws {
        try await Self.run { tenant in
            let plan = try await tenant.plan("organizations: [{name: acme, display_name: A, connections: []}]")
            #expect(plan.differences(of: "acme").sorted().first?.hasPrefix("connections: ") == true)
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            let acme = try #require(try await Self.organization("acme", tenant))
            let (connections, grants) = try await tenant.stores.database.read { transaction in
                (
                    try OrganizationStore.connections(of: acme.id, in: transaction),
                    try OrganizationStore.clientGrants(of: acme.id, in: transaction)
                )
            }
            #expect(connections.isEmpty && grants.count == 1)
            try await tenant.apply("organizations: [{name: acme, client_grants: []}]")
            let left = try await tenant.stores.database.read { try OrganizationStore.clientGrants(in: $0) }
            #expect(left.isEmpty)
        }
    }

    @Test("With --delete the organizations that the file leaves out go; without it they stay")
    func deletion() async throws {
        try await Self.run { tenant in
            #expect(try await tenant.plan("organizations: []").isEmpty)
            #expect(
                try await tenant.plan("organizations: [{name: globex}]", delete: true).summary
                    == ["- organizations acme"])
            try await tenant.apply("databases: []\nclientGrants: []", delete: true)
            #expect(try await Self.organization("acme", tenant) != nil)
            try await tenant.apply("organizations: []", delete: true)
            #expect(try await Self.organization("acme", tenant) == nil)
        }
    }

    @Test("An export applied to an empty database exports the same")
    func roundTrip() async throws {
        try await Self.run { tenant in
            let export = try await tenant.export()
            #expect(export.contains("organization_usage: allow"))
            #expect(try await tenant.plan(export, delete: true).isEmpty)
            try await Tenant.run { copy in
                try await copy.apply(export)
                #expect(try await copy.export() == export)
            }
        }
    }

    @Test("What an organization names must be there, and each problem is told at its line")
    func references() async throws {
        try await Self.run { tenant in
            let problems = try await tenant.problems(
                """
                organizations:
                  - name: New
                  - name: initech
                    connections:
                      - name: User
                      - name: Users
                        is_signup_enabled: true
                      - name: Users
                        assign_membership: true
                    client_grants:
                      - client_id: Web
                  - name: acme
                  - name: acme
                """)
            #expect(
                problems == [
                    "tenant.yaml:2: organizations[0].name: must be 1 to 50 lower-case letters, digits, '_' and '-', and "
                        + "not look like an id (org_…)",
                    "tenant.yaml:5: organizations[1].connections[0].name: no connection is called 'User'; did you mean "
                        + "Users?",
                    "tenant.yaml:7: organizations[1].connections[1].is_signup_enabled: needs "
                        + "assign_membership_on_login: who signs up would be no member",
                    "tenant.yaml:9: organizations[1].connections[2].assign_membership: is no field that Portico knows "
                        + "here; remove it or check its spelling",
                    "tenant.yaml:11: organizations[1].client_grants[0]: 'Web' has no such client grant",
                    "tenant.yaml:13: organizations[3]: 'acme' is in the file twice",
                ])
            #expect(
                try await tenant.problems(
                    "clientGrants: [{client_id: Robot, audience: https://orders.example.com, organization_usage: deny}]\n"
                        + "organizations: [{name: acme, client_grants: [{client_id: Robot}]}]"
                ).count == 1)
        }
    }

    @Test("What this version has not is named and not applied")
    func notApplied() async throws {
        try await Self.run { tenant in
            let plan = try await tenant.plan(
                "organizations: [{name: acme, discovery_domains: [{domain: a.example.com, status: verified}]}]")
            #expect(plan.isEmpty && plan.notApplied.count == 1)
            #expect(plan.notApplied.first?.contains("organizations[0].discovery_domains") == true)
        }
    }

    @Test("An application's organization settings are known values")
    func clientSettings() async throws {
        try await Self.run { tenant in
            try await tenant.apply(
                "clients: [{name: Web, client_id: web-id, organization_usage: require, "
                    + "organization_require_behavior: pre_login_prompt}]")
            let client = try #require(try await tenant.client("Web")?.client)
            #expect(client.organizations.usage == .require)
            #expect(client.organizations.requireBehavior == .preLoginPrompt)
            #expect(try await tenant.export().contains("organization_require_behavior: pre_login_prompt"))
            let problems = try await tenant.problems(
                "clients: [{name: Web, client_id: web-id, organization_usage: sometimes}]")
            #expect(
                problems.count == 1 && problems.first?.contains("'sometimes' is none of deny, allow, require") == true)
        }
    }
}
