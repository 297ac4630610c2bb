import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Deleting what a tenant file leaves out")
struct DeletionTests {
    private static let everythingGone = """
        resourceServers: []
        clients: []
        clientGrants: []
        databases: []
        roles: []
        """

    @Test("Without --delete nothing is deleted")
    func withoutFlag() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            #expect(try await tenant.plan(Self.everythingGone).isEmpty)
        }
    }

    @Test("With --delete a kind is complete where the file names it; the other kinds stay")
    func namedKinds() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop + "\n  - name: Guest")
            let yaml = "roles: [{name: Guest}]\n"
            #expect(try await tenant.plan(yaml, delete: true).summary == ["- roles Clerk"])
            try await tenant.apply(yaml, delete: true)
            #expect(try await tenant.roles().map(\.name) == ["Guest"])
            #expect(try await tenant.plan("databases: []", delete: true).summary == ["- databases Users"])
            #expect(try await tenant.plan("connections: []", delete: true).isEmpty)
            #expect(
                try await tenant.plan("clientGrants: []", delete: true).summary
                    == ["- clientGrants Robot → https://orders.example.com"])
        }
    }

    @Test("A name with nothing after it deletes nothing; only an empty list says that there shall be none")
    func nothingAfterName() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let yaml = "tenant:\nclients:\nroles: ~\nresourceServers: null\nclientGrants:\ndatabases:\nconnections:\n"
            #expect(try await tenant.plan(yaml, delete: true).isEmpty)
        }
    }

    @Test("Everything can go at once, whatever refers to what")
    func everything() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let plan = try await tenant.plan(Self.everythingGone, delete: true)
            #expect(plan.text.hasSuffix(" 5 to delete."))
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.stores.clients.list().isEmpty)
            #expect(try await tenant.resourceServers().isEmpty)
            #expect(try await tenant.grants().isEmpty)
            #expect(try await tenant.stores.connections.list().isEmpty)
            #expect(try await tenant.roles().isEmpty)
        }
    }

    @Test("A database with users is not deleted, nor by a rollback, not even where they come after the plan")
    func databaseWithUsers() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let early = try await tenant.plan("databases: []", delete: true)
            let rollback = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            try await tenant.stores.database.write { transaction in
                let user = User(id: "auth0|a", connection: "Users", email: "a@example.com", createdAt: Tenant.now)
                try UserStore.insert(user, passwordHash: nil, in: transaction)
            }
            let problems = try await tenant.problems("databases: []", delete: true)
            #expect(problems.count == 1 && problems.first?.contains("'Users' cannot be deleted, it has a user") == true)
            for plan in [early, rollback] {
                await #expect(throws: DatabaseHasUsers.self) {
                    _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
                }
            }
            await #expect(throws: DatabaseHasUsers.self) {
                _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            }
            #expect(try await tenant.stores.connections.find(name: "Users") != nil)
        }
    }

    @Test("An application or API may be replaced in one plan, with what refers to the new one")
    func replacement() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let other = shop.replacing("https://orders.example.com", with: "https://new.example.com")
                .replacing("Robot", with: "Android").replacing("robot-id", with: "android-id")
            try await tenant.apply(other, delete: true)
            #expect(try await tenant.plan(other, delete: true).isEmpty)
            #expect(try await tenant.grants().map(\.clientID) == ["android-id"])
            #expect(
                try await tenant.stores.connections.find(name: "Users")?.enabledClients == ["web-id", "android-id"])
        }
    }

    @Test("What refers to a deleted application or API is a problem where the file says so")
    func dangling() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let problems = try await tenant.problems(
                """
                clients: []
                resourceServers: []
                clientGrants: [{client_id: Robot, audience: "https://orders.example.com", scope: []}]
                databases: [{name: Users, enabled_clients: [Web]}]
                """, delete: true)
            #expect(
                problems.map { $0.contains("client_id") || $0.contains("audience") || $0.contains("enabled_clients") }
                    == [true, true, true])
        }
    }

    @Test(
        "A deleted application leaves the connections that enabled it, named in the file or not",
        arguments: [
            "", "databases: [{name: Users}]\n",
        ])
    func enabledClients(databases: String) async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let yaml = "clients: [{name: Web}]\n" + databases
            let plan = try await tenant.plan(yaml, delete: true)
            #expect(plan.differences(of: "Users") == [#"enabled_clients: ["robot-id","web-id"] → ["web-id"]"#])
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.stores.connections.find(name: "Users")?.enabledClients == ["web-id"])
            try await Self.expectCopyable(tenant)
        }
    }

    @Test(
        "A scope that an API loses leaves its grants and roles, named in the file or not",
        arguments: [
            "",
            "roles: [{name: Clerk}]\nclientGrants: [{client_id: Robot, audience: \"https://orders.example.com\"}]\n",
        ])
    func scopes(others: String) async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let yaml = "resourceServers: [{name: Orders, scopes: [{value: write:orders}]}]\n" + others
            #expect(
                try await tenant.plan(yaml).summary == [
                    "~ resourceServers https://orders.example.com", "~ clientGrants Robot → https://orders.example.com",
                    "~ roles Clerk",
                ])
            try await tenant.apply(yaml)
            #expect(try await tenant.grants().map(\.scope) == [.empty])
            #expect(try await tenant.roles().first?.permissions.map(\.name) == ["write:orders"])
            #expect(try await tenant.plan(yaml).isEmpty)
            try await Self.expectCopyable(tenant)
        }
    }

    /// An export that names what is not there could not be applied anywhere else.
    private static func expectCopyable(_ tenant: Tenant) async throws {
        let export = try await tenant.export()
        try await Tenant.run { copy in
            try await copy.apply(export)
            #expect(try await copy.export() == export)
        }
    }
}
