import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Exporting a tenant")
struct ExportTests {
    /// Texts that YAML could read as something else.
    private static let awkward = [
        "yes", "No", "on", "true", "True", "NULL", "null", "~", "123", "007", "1e3", "0x1F", "1.0", ".5", "-1",
        "2026-01-01",
        "12:30:45", "", " leading", "trailing ", "two\nlines", "two\n\nlines\n", "\n", "tab\t", "\r\n", "\"double\"",
        "it's", "😀 emoji é 漢字", "a: b", "a:", "a #b", "# a", "- a", "? a", "[a", "{a}", "*a", "&a", "!a", "%a", "@a",
        "`a", "|", ">", "a, b", "back\\slash", "\\n", "##KEY##", "a ##KEY## @@KEY@@ b", "@@KEY@@", "---", "...",
        "=", "<<", "\u{7F}\u{85}\u{2028}\u{FEFF}", "\u{1}\u{1B}", String(repeating: "long text ", count: 200),
    ]

    /// Applies to an empty database what another one exports, and expects it to export the same.
    private func expectCopyable(_ tenant: Tenant) async throws {
        let export = try await tenant.export()
        #expect(try await tenant.plan(export).isEmpty)
        #expect(try await tenant.plan(export, delete: true).isEmpty)
        try await Tenant.run { copy in
            try await copy.apply(export)
            #expect(try await copy.export() == export)
            #expect(try await copy.plan(export, delete: true).isEmpty)
        }
    }

    @Test("An export applied to an empty database exports the same")
    func copy() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            try await expectCopyable(tenant)
            try await tenant.apply(
                """
                tenant: {session_lifetime_in_minutes: 100, idle_session_lifetime: 0.7, flags: {a: null, b: false}}
                clients:
                  - name: Public
                    app_type: spa
                    refresh_token: {rotation_type: rotating, infinite_idle_token_lifetime: true}
                  - {name: Signer, jwt_configuration: {alg: HS256}, client_metadata: {a: "1"}}
                  - {name: Twin, client_id: twin-1, app_type: native}
                  - {name: Twin, client_id: twin-2, app_type: native}
                  - {name: twin-1, client_id: other, app_type: native}
                resourceServers: [{identifier: hs, signing_alg: HS256, scopes: [{value: a}]}]
                clientGrants:
                  - {client_id: twin-2, audience: hs, scope: [a]}
                  - {client_id: other, audience: hs, scope: []}
                connections: [{name: github, strategy: github, options: {list: [1, {a: []}], empty: {}}}]
                databases: [{name: Users, enabled_clients: [twin-1, other]}]
                """)
            #expect(try await tenant.stores.connections.find(name: "Users")?.enabledClients == ["twin-1", "other"])
            try await expectCopyable(tenant)
        }
    }

    @Test("An empty tenant's export is whole and can be applied")
    func empty() async throws {
        try await Tenant.run { tenant in try await expectCopyable(tenant) }
    }

    @Test("Every text comes back as it was, whatever YAML could take it for")
    func awkwardTexts() async throws {
        try await Tenant.run { tenant in
            var options: JSONObject = [:]
            for (index, text) in Self.awkward.enumerated() {
                options["value\(index)"] = .string(text)
                options[text] = .integer(Int64(index))
            }
            options["list"] = JSONValue(Self.awkward)
            let json = try JSON.text(options)
            let description = Self.awkward.joined(separator: " ")
            try await tenant.apply(
                "databases: [{name: Users, options: @@OPTIONS@@}]\nroles: [{name: ##NAME##, description: ##TEXT##}]",
                ["OPTIONS": json, "NAME": "yes: 'no' #1", "TEXT": description])
            #expect(try await tenant.stores.connections.find(name: "Users")?.options == options)
            try await expectCopyable(tenant)
            let export = try await tenant.export()
            try await Tenant.run { copy in
                try await copy.apply(export, ["KEY": "never"])
                #expect(try await copy.stores.connections.find(name: "Users")?.options == options)
                #expect(try await copy.roles().first?.description == description)
                #expect(try await copy.roles().first?.name == "yes: 'no' #1")
            }
        }
    }

    @Test("Plain texts stay readable: no quotes where YAML needs none")
    func readable() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let export = try await tenant.export()
            #expect(
                export.contains(
                    """
                    roles:
                    - name: Clerk
                      description: Handles orders
                      permissions:
                      - permission_name: read:orders
                        resource_server_identifier: https://orders.example.com

                    """))
            #expect(export.hasPrefix("tenant:\n"))
            #expect(!export.contains("secret-0123456789") && !export.contains("\n  id: "))
        }
    }
}
