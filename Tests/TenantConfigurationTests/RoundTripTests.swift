import Foundation
import OAuth
import Storage
import Testing

@testable import TenantConfiguration

@Suite("An export makes the same tenant again")
struct RoundTripTests {
    /// Many resources that refer to one another, with names that files and YAML take for something else.
    private static let large: String = {
        let names = ["plain", "no", "007", "##KEY##", "@@KEY@@", "a: b", "Übung/1", "übung/1", "\u{1F511} key", "- x"]
        let range = 0..<200
        let clients = range.map {
            "{\"name\": \"\(names[$0 % names.count]) \($0 / names.count)\", \"client_id\": \"id-\($0)\", "
                + "\"app_type\": \"regular_web\", \"callbacks\": [\"https://a\($0).example.com/cb\"]}"
        }
        let apis = range.map {
            "{\"name\": \"API\", \"identifier\": \"https://api.example.com/\($0)\", \"scopes\": [{\"value\": \"read\"}]}"
        }
        let grants = range.map {
            "{\"client_id\": \"id-\($0)\", \"audience\": \"https://api.example.com/\($0)\", \"scope\": [\"read\"]}"
        }
        let roles = range.map {
            "{\"name\": \"role \($0)\", \"permissions\": [{\"resource_server_identifier\": "
                + "\"https://api.example.com/\($0)\", \"permission_name\": \"read\"}]}"
        }
        let databases = range.prefix(20).map { "{\"name\": \"db-\($0)\", \"enabled_clients\": [\"id-\($0)\"]}" }
        func list(_ elements: [String]) -> String { "[\(elements.joined(separator: ", "))]" }
        return """
            {"clients": \(list(clients)), "resourceServers": \(list(apis)), "clientGrants": \(list(grants)),
             "roles": \(list(roles)), "databases": \(list(databases))}
            """
    }()

    /// A tenant that uses every kind of resource, with a secret wherever there can be one.
    private static let everything =
        shop
        .replacing("connections: []", with: "connections: [{name: github, strategy: github, enabled_clients: [Web]}]")
        .replacing(
            "      passwordPolicy: good",
            with: """
                      passwordPolicy: good
                      import_mode: true
                      portico_import: {domain: old.example.com, client_id: importer, client_secret: my-secret-import}
                      customScripts: {login: "function login() {}"}
                """) + """

            logStreams:
              - name: Audit
                type: http
                sink: {httpEndpoint: "https://logs.example.com/", httpSigningSecret: my-secret-for-signatures}
            organizations:
              - name: acme
                display_name: Acme
                branding: {logo_url: "https://acme.example.com/logo.png", colors: {primary: "#102030", page_background: "#ffffff"}}
                metadata: {plan: gold}
                connections: [{name: Users, assign_membership_on_login: true, is_signup_enabled: true}]
              - {name: globex}
            guardianFactors: [{name: recovery-code, enabled: false}]
            guardianPolicies: {policies: [all-applications]}
            attackProtection:
              bruteForceProtection: {max_attempts: 7, allowlist: [192.0.2.0/24], mode: count_per_identifier}
              suspiciousIpThrottling: {stage: {pre-login: {max_attempts: 50, rate: 1000}}}
              breachedPasswordDetection: {enabled: true, shields: [block]}
            emailProvider:
              name: smtp
              default_from_address: shop@example.com
              credentials: {smtp_host: mail.example.com, smtp_port: 587, smtp_user: shop, smtp_pass: my-secret-password}
            emailTemplates:
              - template: welcome_email
                subject: Welcome
                body: "<p>Hello {{ user.name }}</p>"
                syntax: liquid
                enabled: true
            branding:
              colors: {primary: "#0a7a5c", page_background: "#f4f6f5"}
              logo_url: https://shop.example.com/logo.png
            prompts:
              customText: {en: {login: {login: {title: Welcome}}}, de: {consent: {consent: {title: Ja?}}}}
            rules:
              - {name: Add roles, order: 3, enabled: false, script: "function (user, context, callback) {}\n"}
            rulesConfigs:
              - {key: SLACK, value: my-secret-value}
            actions:
              - name: Claims
                code: "exports.onExecutePostLogin = async () => {};\n"
                deployed: true
                dependencies: [{name: axios, version: 4.17.21}]
                supported_triggers: [{id: post-login, version: v3}]
            triggers:
              post-login: [{action_name: Claims, display_name: Add claims}]
            """

    @Test("The names of scripts lead to no other folder: not into a tenant, and not out of one that has them")
    func scriptNames() async throws {
        try await Tenant.run { tenant in
            let name = "../../../escaped"
            let yaml = "databases: [{name: Users, options: {customScripts: {'\(name)': x}}}]"
            let problems = try await tenant.problems(yaml)
            #expect(problems.count == 1 && problems.first?.contains("letters, digits and _") == true, "\(problems)")
            try await tenant.stores.database.write { transaction in
                var connection = Connection(id: "con_1", name: "Users", strategy: "auth0")
                connection.options["customScripts"] = .object([name: "x", ".././.././.././escaped": "y"])
                try ConnectionStore.save(connection, in: transaction)
            }
            let paths = try await TenantExport.files(tenant.stores).map(\.path)
            #expect(Set(paths).count == paths.count)
            #expect(paths.filter { $0.hasSuffix("escaped.js") }.count == 2)
            #expect(paths.allSatisfy { !$0.contains("..") })
        }
    }

    @Test("The plan says when the secret for the old tenant is forgotten, because the connection asks another one")
    func importSecret() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.everything)
            let other = Self.everything.replacing("old.example.com", with: "new.example.com")
            // The same secret that comes with the change is kept.
            try await tenant.apply(other)
            #expect(try await tenant.stores.connections.sealedImportSecret(of: "Users") != nil)
            let without = Self.everything.replacing(", client_secret: my-secret-import", with: "")
            let plan = try await tenant.plan(without)
            #expect(
                plan.differences(of: "Users").contains("options.portico_import.client_secret: (set) → (removed)"),
                "\(plan.text)")
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.stores.connections.sealedImportSecret(of: "Users") == nil)
            #expect(try await tenant.plan(without).isEmpty)
        }
    }

    @Test("An export has what was applied of every kind, and no secret")
    func complete() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.everything)
            let sections = try await TenantExport.sections(tenant.stores)
            // A value of a rule is a secret as a whole.
            for kind in ResourceType.allCases where kind != .rulesConfigs {
                let value = sections.first { $0.0 == kind }?.1
                #expect(value.map { !TenantFile.isEmpty($0) } == true, "\(kind)")
            }
            let texts = try await TenantExport.files(tenant.stores).map(\.text) + [tenant.export()]
            for text in texts {
                #expect(!text.contains("-secret-"), "a secret is in an export")
            }
        }
    }

    @Test(
        "In one file and in folders, of a tenant with every kind, a small one and a large one",
        arguments: [everything, shop, large])
    func roundTrip(yaml: String) async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                yaml.replacing("##KEY##", with: #"\u0023#KEY##"#).replacing("@@KEY@@", with: #"\u0040@KEY@@"#))
            let (text, files) = (try await tenant.export(), try await TenantExport.files(tenant.stores))
            let folder = tenant.folder.appending(path: "export")
            try await TenantExport.write(tenant.stores, to: folder)
            try await Tenant.run { second in
                try await second.apply(text)
                #expect(try await second.export() == text)
            }
            try await Tenant.run { second in
                let file = try TenantFile(contentsOf: folder, environment: [:])
                let plan = try await Plan.make(file, stores: second.stores, box: Tenant.box, allowDelete: true)
                _ = try await plan.apply(to: second.stores, at: Tenant.now)
                #expect(try await second.export() == text)
                let again = try await TenantExport.files(second.stores)
                #expect(again.map(\.path) == files.map(\.path) && again.map(\.text) == files.map(\.text))
            }
        }
    }

    @Test("A folder loses the files of resources that are gone, and keeps what the export does not write")
    func removedFiles() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("roles: [{name: Old}]")
            let folder = tenant.folder.appending(path: "export")
            try await TenantExport.write(tenant.stores, to: folder)
            try tenant.write("# Ours", to: "export/roles/README.md")
            try await tenant.apply("roles: [{name: New}]", delete: true)
            try await TenantExport.write(tenant.stores, to: folder)
            let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))
            #expect(paths.contains("roles/New.json") && !paths.contains("roles/Old.json"))
            #expect(paths.contains("roles/README.md"))
        }
    }
}
