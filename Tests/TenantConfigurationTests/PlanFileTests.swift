import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("A plan in a file is applied as it was shown, or not at all")
struct PlanFileTests {
    private static let yaml = """
        clients: [{name: Shop, app_type: regular_web, client_secret: "##SHOP_SECRET##"}]
        roles: [{name: Clerk}]
        """
    private static let environment = ["SHOP_SECRET": "a-secret-of-the-shop-0123456789"]

    private func write(_ tenant: Tenant, _ yaml: String = yaml, delete: Bool = false) async throws -> URL {
        let file = try TenantFile(yaml: yaml, name: "tenant.yaml", environment: Self.environment)
        let plan = try await Plan.make(file, stores: tenant.stores, box: Tenant.box, allowDelete: delete)
        return try tenant.write(PlanFile.text(of: plan, from: file, box: Tenant.box), to: "shop.plan")
    }

    private func read(_ url: URL, _ tenant: Tenant, box: SecretBox = Tenant.box) async throws -> Plan {
        try await PlanFile(contentsOf: url, box: box).plan(stores: tenant.stores, box: box)
    }

    @Test("It makes the application with the client_id that it showed, and the secret that it does not show")
    func applies() async throws {
        try await Tenant.run { tenant in
            let url = try await write(tenant)
            let text = try String(contentsOf: url, encoding: .utf8)
            #expect(!text.contains("a-secret-of-the-shop"))
            #expect(PlanFile.isPlan(url))
            _ = try await read(url, tenant).apply(to: tenant.stores, at: Tenant.now)
            let client = try #require(try await tenant.client("Shop"))
            #expect(text.contains("client_id: \"\(client.client.clientID)\""))
            #expect(client.secretDigest == Secret("a-secret-of-the-shop-0123456789").digest)
            #expect(try await tenant.roles().map(\.name) == ["Clerk"])
        }
    }

    @Test("It is refused once the tenant has changed")
    func stale() async throws {
        try await Tenant.run { tenant in
            let url = try await write(tenant)
            try await tenant.apply("roles: [{name: Other}]")
            await #expect(throws: PlanFile.Refused.self) { _ = try await read(url, tenant) }
            #expect(try await tenant.client("Shop") == nil)
        }
    }

    @Test("It keeps the permission to delete, and is refused by another tenant and after a change to it")
    func deletesAndIsSealed() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("roles: [{name: Old}]")
            let url = try await write(tenant, "roles: [{name: New}]", delete: true)
            let other = SecretBox(key: [UInt8](repeating: 8, count: 32))
            await #expect(throws: PlanFile.Refused.self) { _ = try await read(url, tenant, box: other) }
            let text = try String(contentsOf: url, encoding: .utf8)
            let changed = try tenant.write(text.replacing("sealed: ", with: "sealed: A"), to: "changed.plan")
            await #expect(throws: PlanFile.Refused.self) { _ = try await read(changed, tenant) }
            _ = try await read(url, tenant).apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.roles().map(\.name) == ["New"])
        }
    }

    @Test("It is refused where what it shows is not what is sealed in it")
    func shown() async throws {
        try await Tenant.run { tenant in
            let text = try await String(contentsOf: write(tenant), encoding: .utf8)
            for changed in [
                text.replacing("Clerk", with: "Guest"),
                text.replacing("portico plan 1\n", with: "portico plan 1\nFine.\n"),
                text + "# Fine.\n",
            ] {
                #expect(changed != text)
                let url = try tenant.write(changed, to: "changed.plan")
                await #expect(throws: PlanFile.Refused.self) { _ = try await read(url, tenant) }
            }
        }
    }

    @Test("A tenant file is no plan")
    func tenantFile() async throws {
        try await Tenant.run { tenant in
            let url = try tenant.write("roles: []", to: "tenant.yaml")
            #expect(!PlanFile.isPlan(url))
        }
    }
}

@Suite("What a plan leaves alone, and what it refuses")
struct ExclusionTests {
    @Test("AUTH0_EXCLUDED… keeps kinds and names from being changed and deleted")
    func excluded() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let before = try await tenant.export()
            try await tenant.apply(
                """
                tenant: {friendly_name: Other}
                resourceServers: []
                clients: [{name: Web, client_id: web-id, description: changed}]
                clientGrants: []
                databases: []
                roles: []
                """,
                [
                    "AUTH0_EXCLUDED": #"["tenant", "clientGrants"]"#, "AUTH0_EXCLUDED_CLIENTS": "Web, Robot",
                    "AUTH0_EXCLUDED_RESOURCE_SERVERS": #"["Orders"]"#, "AUTH0_EXCLUDED_ROLES": "Clerk",
                    "AUTH0_EXCLUDED_DATABASES": "Users",
                ], delete: true)
            #expect(try await tenant.export() == before)
        }
    }

    @Test(
        "What names nothing is refused, with its place",
        arguments: [
            (
                "tenant: {default_directory: User}\ndatabases: [{name: Users}]",
                "tenant.default_directory: no connection"
            ),
            (
                "tenant: {default_audience: orders}\nresourceServers: [{identifier: order}]",
                "tenant.default_audience: no API"
            ),
            (
                "clients: [{name: A, app_type: resource_server, resource_server_identifier: nothing}]",
                "clients[0].resource_server_identifier: no API"
            ),
            (
                "clients: [{name: A, app_type: spa, grant_types: [implicit, authorisation_code]}]",
                "clients[0].grant_types[1]: 'authorisation_code' is no grant type; did you mean authorization_code?"
            ),
        ])
    func references(yaml: String, problem: String) async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(yaml)
            #expect(problems.count == 1 && problems.first?.contains(problem) == true, "\(problems)")
        }
    }

    @Test(
        "What names something is not, and nor is Auth0's own API",
        arguments: [
            "tenant: {default_directory: Users, default_audience: a}\ndatabases: [{name: Users}]\n"
                + "resourceServers: [{identifier: a}]",
            "tenant: {default_audience: 'https://t.auth0.com/api/v2/'}",
        ])
    func knownReferences(yaml: String) async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(yaml)
            #expect(problems == [])
        }
    }
}
