import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("What resources of a tenant file say of one another")
struct ReferenceTests {
    @Test("§14.2: grants and enabled_clients name applications by their name or client_id, new ones too")
    func byName() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                """
                resourceServers: [{identifier: api, scopes: [{value: read}]}]
                clients: [{name: A, client_id: a-id, client_secret: a-secret-0123456789}, {name: B}]
                clientGrants:
                  - {client_id: B, audience: api, scope: [read]}
                  - {client_id: a-id, audience: api, scope: []}
                databases: [{name: Users, enabled_clients: [B, a-id]}]
                """)
            let id = try #require(try await tenant.client("B")?.client.clientID)
            #expect(id.wholeMatch(of: /[A-Za-z0-9]{32}/) != nil)
            #expect(Set(try await tenant.grants().map(\.clientID)) == [id, "a-id"])
            #expect(try await tenant.stores.connections.find(name: "Users")?.enabledClients == [id, "a-id"])
            let byID = "clientGrants: [{client_id: \(id), audience: api, scope: [read]}]"
            #expect(try await tenant.plan(byID).isEmpty)
        }
    }

    @Test("The same resource twice in a file is refused at its second place")
    func duplicates() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let api = "https://orders.example.com"
            let problems = try await tenant.problems(
                """
                resourceServers:
                  - {identifier: \(api)}
                  - {name: Orders}
                clients:
                  - {name: New}
                  - {name: New}
                  - {client_id: web-id, name: Renamed}
                  - {name: Web}
                clientGrants:
                  - {client_id: Robot, audience: "\(api)"}
                  - {client_id: robot-id, audience: "\(api)"}
                databases: [{name: Users}, {name: Users}]
                roles:
                  - {name: Clerk}
                  - {name: Clerk}
                """)
            #expect(
                problems == [
                    "tenant.yaml:3: resourceServers[1]: '\(api)' is in the file twice",
                    "tenant.yaml:6: clients[1]: 'New' is in the file twice",
                    "tenant.yaml:8: clients[3]: 'web-id' is in the file twice",
                    "tenant.yaml:11: clientGrants[1]: 'robot-id \(api)' is in the file twice",
                    "tenant.yaml:12: databases[1]: 'Users' is in the file twice",
                    "tenant.yaml:15: roles[1]: 'Clerk' is in the file twice",
                ])
        }
    }

    @Test("Applications may share a name; whoever means one of them must say which")
    func sharedNames() async throws {
        try await Tenant.run { tenant in
            let pair = "clients: [{name: A, client_id: one, app_type: spa}, {name: A, client_id: two, app_type: spa}]\n"
            try await tenant.apply(pair)
            #expect(try await tenant.stores.clients.list().count == 2)
            let problems = try await tenant.problems("clients: [{name: A, is_first_party: false}]\n")
            #expect(
                problems == ["tenant.yaml:1: clients[0]: 2 applications have this name; say which one with client_id"])
            let enabled = try await tenant.problems("databases: [{name: Users, enabled_clients: [one, A]}]\n")
            #expect(
                enabled == [
                    "tenant.yaml:1: databases[0].enabled_clients[1]: "
                        + "'A' is the client_id or name of no application, or of several"
                ])
            try await tenant.apply("resourceServers: [{name: X, identifier: a}, {name: X, identifier: b}]")
            let apis = try await tenant.problems("resourceServers: [{name: X, token_lifetime: 9000}]")
            #expect(apis == ["tenant.yaml:1: resourceServers[0]: 2 APIs have this name; say which one with identifier"])
        }
    }

    @Test("An unknown API, application, scope or permission is named with its line, all at once")
    func unknown() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let api = "https://orders.example.com"
            let problems = try await tenant.problems(
                """
                clientGrants:
                  - client_id: Nobody
                    audience: nowhere
                  - client_id: Web
                    audience: \(api)
                    scope: [read:orders, fly, swim]
                databases:
                  - name: Users
                    enabled_clients: [Nobody, Web, 7]
                    display_nam: x
                roles:
                  - name: Pilot
                    permissions:
                      - {resource_server_identifier: \(api), permission_name: read:orders}
                      - {resource_server_identifier: \(api), permission_name: fly}
                      - {resource_server_identifier: nowhere, permission_name: read:orders}
                """)
            #expect(
                problems.map { $0.replacing("tenant.yaml:", with: "") } == [
                    "2: clientGrants[0].client_id: must be the client_id or the name of one application",
                    "3: clientGrants[0].audience: no API has the identifier 'nowhere'",
                    "6: clientGrants[1].scope: the API \(api) has no scope fly, swim",
                    "9: databases[0].enabled_clients[0]: "
                        + "'Nobody' is the client_id or name of no application, or of several",
                    "9: databases[0].enabled_clients[2]: '' is the client_id or name of no application, or of several",
                    "10: databases[0].display_nam: is no field that Portico knows here; "
                        + "remove it or check its spelling; did you mean display_name?",
                    "15: roles[0].permissions[1]: the API '\(api)' has no permission 'fly'",
                    "16: roles[0].permissions[2]: the API 'nowhere' has no permission 'read:orders'",
                ])
        }
    }

    @Test("§8.1: a connection's strategy is required, cannot change, and is auth0 for a database")
    func strategies() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("databases: [{name: Users}]\nconnections: [{name: github, strategy: github}]")
            #expect(try await tenant.stores.connections.find(name: "Users")?.strategy == "auth0")
            let problems = try await tenant.problems(
                """
                databases:
                  - {name: Users, strategy: oidc}
                  - {name: More, strategy: github}
                connections:
                  - {name: github, strategy: oidc}
                  - {name: new}
                """)
            #expect(
                problems.map { $0.replacing("tenant.yaml:", with: "") } == [
                    "2: databases[0].strategy: a connection's strategy cannot change; it is auth0",
                    "3: databases[1].strategy: a database's strategy is auth0; put the others under connections",
                    "5: connections[0].strategy: a connection's strategy cannot change; it is github",
                    "6: connections[1].strategy: is required",
                ])
        }
    }

    @Test("Kinds and strategies that this version does not have are named, not dropped in silence")
    func notSupported() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(
                """
                hooks: []
                forms:
                  - name: Greet
                customDomains: [{domain: login.example.com}]
                flows:
                clients:
                  - {name: All Applications, global: true}
                resourceServers:
                  - {name: Auth0 Management API, identifier: https://a.auth0.com/api/v2/, is_system: true}
                connections:
                  - {name: github, strategy: github}
                """)
            #expect(
                plan.notApplied == [
                    "tenant.yaml:4: customDomains: not applied; this version does not have it yet",
                    "tenant.yaml:2: forms: not applied; this version does not have it yet",
                    "resourceServers[0]: Auth0's own Management API is not applied",
                    "clients[0]: the global client is not applied; Portico has none",
                    "connections[0]: the strategy github is kept, but this version cannot sign in with it yet",
                ])
            #expect(plan.notApplied.allSatisfy { plan.text.contains("! \($0)\n") })
            #expect(plan.summary == ["+ connections github"])
        }
    }
}
