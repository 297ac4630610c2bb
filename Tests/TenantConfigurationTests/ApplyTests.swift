import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Applying a tenant file")
struct ApplyTests {
    @Test("What a file names is created; applying it a second time changes nothing")
    func twice() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(shop)
            #expect(
                plan.summary == [
                    "~ tenant Shop", "+ resourceServers https://orders.example.com", "+ clients Web", "+ clients Robot",
                    "+ clientGrants Robot → https://orders.example.com", "+ databases Users", "+ roles Clerk",
                ])
            #expect(plan.text.hasSuffix("\n6 to create, 1 to change, 0 to delete."))
            #expect(try await tenant.stores.clients.list().isEmpty)
            let outcome = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(outcome.text == "Applied 7 changes.")

            let again = try await tenant.plan(shop)
            #expect(again.isEmpty)
            #expect(again.text == "Nothing to change.")
            #expect(try await tenant.plan(shop, delete: true).isEmpty)
            #expect(
                try await tenant.client("Web")?.client.callbacks.map(\.text) == ["https://shop.example.com/callback"])
            #expect(try await tenant.stores.connections.find(name: "Users")?.enabledClients == ["web-id", "robot-id"])
            #expect(try await tenant.grants().map(\.scope) == [Scope(["read:orders"])])
            #expect(try await tenant.roles().first?.permissions.count == 2)
        }
    }

    @Test("§14.2: names are identities; without client_id an application is the one with its name")
    func names() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let connection = try await tenant.stores.connections.find(name: "Users")
            let role = try await tenant.roles().first
            let yaml = """
                clients: [{name: Web, logo_uri: "https://shop.example.com/logo.png"}]
                databases: [{name: Users, display_name: People}]
                roles: [{name: Clerk, description: Other}]
                resourceServers: [{name: Orders, token_lifetime: 7200}]
                """
            #expect(
                try await tenant.plan(yaml).summary == [
                    "~ resourceServers https://orders.example.com", "~ clients Web", "~ databases Users",
                    "~ roles Clerk",
                ])
            try await tenant.apply(yaml)
            #expect(try await tenant.client("Web")?.client.clientID == "web-id")
            #expect(try await tenant.stores.connections.find(name: "Users")?.id == connection?.id)
            #expect(try await tenant.roles().first?.id == role?.id)
            #expect(try await tenant.stores.clients.list().count == 2)
        }
    }

    @Test("An id in the file does not replace the one that the resource has")
    func ids() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("resourceServers: [{identifier: api, name: A}]")
            let id = try await tenant.resourceServers().first?.resourceServer.id
            let yaml = "resourceServers: [{identifier: api, name: A, id: ffffffffffffffffffffffff}]"
            #expect(try await tenant.plan(yaml).isEmpty)
            try await tenant.apply(yaml + "\nroles: [{name: R, id: rol_1}]")
            #expect(try await tenant.resourceServers().first?.resourceServer.id == id)
            #expect(try await tenant.plan("roles: [{name: R, id: rol_1}]").isEmpty)
        }
    }

    @Test("A plan shows each field that differs, before and after, and no other")
    func differences() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let plan = try await tenant.plan(
                """
                clients:
                  - name: Web
                    app_type: regular_web
                    callbacks: ["https://shop.example.com/callback", "https://shop.example.com/two"]
                    jwt_configuration: {lifetime_in_seconds: 60, alg: RS256}
                    logo_uri: "https://shop.example.com/logo.png"
                roles:
                  - name: Clerk
                    description: null
                """)
            #expect(
                plan.text == """
                    ~ application Web
                        callbacks: ["https://shop.example.com/callback"] → ["https://shop.example.com/callback",\
                    "https://shop.example.com/two"]
                        jwt_configuration.lifetime_in_seconds: 36000 → 60
                        logo_uri: "https://shop.example.com/logo.png"
                    ~ role Clerk
                        description: "Handles orders" → (removed)
                    0 to create, 2 to change, 0 to delete.
                    """)
        }
    }

    @Test("A plan's lines hold no control character of a name or a value")
    func controlCharacters() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(#"roles: [{name: "a\e[2Jb", description: "c\e\nd"}]"#)
            #expect(!plan.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
            #expect(plan.text.split(separator: "\n").count == 5)
        }
    }

    @Test("PATCH: a field left out keeps its value, null removes it, a nested object is replaced as a whole")
    func patch() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                """
                clients:
                  - name: Web
                    app_type: spa
                    logo_uri: https://shop.example.com/logo.png
                    callbacks: ["https://shop.example.com/"]
                    client_metadata: {a: "1", b: "2"}
                    jwt_configuration: {lifetime_in_seconds: 60}
                databases:
                  - name: Users
                    options: {passwordPolicy: fair, brute_force_protection: false}
                """)
            try await tenant.apply("clients: [{name: Web, is_first_party: false}]\ndatabases: [{name: Users}]\n")
            var client = try #require(try await tenant.client("Web")?.client)
            #expect(client.logoURI == "https://shop.example.com/logo.png")
            #expect(client.callbacks.count == 1)
            #expect(client.idTokenLifetime == 60)
            #expect(!client.isFirstParty)
            #expect(try await tenant.stores.connections.find(name: "Users")?.options.count == 2)

            try await tenant.apply(
                """
                clients: [{name: Web, logo_uri: null, callbacks: ~, jwt_configuration: , client_metadata: {c: "3"}}]
                databases: [{name: Users, options: {passwordPolicy: low}}]
                """)
            client = try #require(try await tenant.client("Web")?.client)
            #expect(client.logoURI == nil)
            #expect(client.callbacks.isEmpty)
            #expect(client.idTokenLifetime == 36_000)
            #expect(client.other["client_metadata"] == ["c": "3"])
            #expect(!client.isFirstParty)
            #expect(try await tenant.stores.connections.find(name: "Users")?.options == ["passwordPolicy": "low"])
        }
    }

    @Test("The tenant's flags are merged one by one; null removes one")
    func flags() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("tenant: {flags: {a: true, b: true}, friendly_name: Shop}")
            try await tenant.apply("tenant: {flags: {b: false, c: true}}")
            var settings = try await tenant.stores.tenant.settings()
            #expect(settings.other["flags"] == ["a": true, "b": false, "c": true])
            #expect(settings.friendlyName == "Shop")
            try await tenant.apply("tenant: {flags: {a: null, use_scope_descriptions_for_consent: true}}")
            settings = try await tenant.stores.tenant.settings()
            #expect(settings.other["flags"] == ["b": false, "c": true, "use_scope_descriptions_for_consent": true])
            #expect(settings.usesScopeDescriptionsForConsent)
            try await tenant.apply("tenant: {flags: null}")
            #expect(try await tenant.stores.tenant.settings().other["flags"] == nil)
            #expect(
                try await tenant.problems("tenant: {flags: [a]}") == ["tenant.yaml:1: tenant.flags: must be an object"])
        }
    }

    @Test("A session's lifetimes may be given in hours or minutes, and stay exact")
    func lifetimes() async throws {
        try await Tenant.run { tenant in
            for (yaml, seconds) in [
                ("{session_lifetime_in_minutes: 20, idle_session_lifetime_in_minutes: 10}", 1200),
                ("{session_lifetime: 1, idle_session_lifetime: 0.5}", 3600), ("{session_lifetime: 0.7}", 2520),
                ("{session_lifetime: 5, session_lifetime_in_minutes: 40}", 2400),
            ] {
                try await tenant.apply("tenant: " + yaml)
                #expect(try await tenant.stores.tenant.settings().sessionLifetime == seconds, "\(yaml)")
                #expect(try await tenant.plan("tenant: " + yaml).isEmpty)
                #expect(try await tenant.plan(tenant.export()).isEmpty)
            }
        }
    }

    @Test("Number spellings that the database keeps alike are no difference")
    func numbers() async throws {
        try await Tenant.run { tenant in
            let yaml = "databases: [{name: Users, options: {a: 1.0, b: 2.50, c: 1e2, d: -0.0}}]"
            try await tenant.apply(yaml)
            #expect(try await tenant.plan(yaml).isEmpty)
        }
    }
}
