import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Reading a tenant file")
struct TenantFileTests {
    @Test("§14.2: one YAML file and the Deploy CLI's folder of JSON files give the same plan")
    func folderForm() async throws {
        try await Tenant.run { tenant in
            try Self.writeFolder(tenant)
            let file = try TenantFile(
                contentsOf: tenant.folder.appending(path: "export"), environment: ["SECRET": "web-secret-0123456789"])
            let fromFolder = try await Plan.make(file, stores: tenant.stores, box: Tenant.box, allowDelete: false)
            let fromYAML = try await tenant.plan(shop)
            // Files are taken in alphabetical order, lists in their own.
            #expect(fromFolder.summary.sorted() == fromYAML.summary.sorted())
            for change in fromYAML.changes {
                #expect(fromFolder.differences(of: change.name) == fromYAML.differences(of: change.name))
            }
            #expect(fromFolder.notApplied == ["themes: not applied; this version does not have it yet"])
            _ = try await fromFolder.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.plan(shop).isEmpty)
        }
    }

    private static func writeFolder(_ tenant: Tenant) throws {
        let api = "https://orders.example.com"
        try tenant.write(#"{"friendly_name": "Shop"}"#, to: "export/tenant.json")
        try tenant.write(
            #"""
            {"name": "Orders", "identifier": "\#(api)", "scopes": [
                {"value": "read:orders", "description": "See your orders"}, {"value": "write:orders"}]}
            """#, to: "export/resource-servers/Orders.json")
        try tenant.write(
            #"""
            {"name": "Web", "client_id": "web-id", "client_secret": "##SECRET##", "app_type": "regular_web",
             "callbacks": ["https://shop.example.com/callback"]}
            """#, to: "export/clients/Web.json")
        try tenant.write(
            #"""
            {"name": "Robot", "client_id": "robot-id", "client_secret": "robot-secret-0123456789",
             "app_type": "non_interactive", "grant_types": ["client_credentials"]}
            """#, to: "export/clients/Robot.json")
        try tenant.write("<html></html>", to: "export/clients/Web_custom_login_page.html")
        try tenant.write(
            #"{"client_id": "Robot", "audience": "\#(api)", "scope": ["read:orders"]}"#, to: "export/grants/Robot.json")
        try tenant.write(
            #"""
            {"name": "Users", "strategy": "auth0", "enabled_clients": ["Web", "Robot"],
             "options": {"passwordPolicy": "good"}}
            """#, to: "export/database-connections/Users/database.json")
        try tenant.write("function login() {}", to: "export/database-connections/Users/login.js")
        try tenant.write(
            #"""
            {"name": "Clerk", "description": "Handles orders", "permissions": [
                {"resource_server_identifier": "\#(api)", "permission_name": "read:orders"},
                {"resource_server_identifier": "\#(api)", "permission_name": "write:orders"}]}
            """#, to: "export/roles/Clerk.json")
        try tenant.write(#"{"displayName": "Theme"}"#, to: "export/themes/theme.json")
        try tenant.write(#"{"name": "otp", "enabled": true}"#, to: "export/guardian/factors/otp.json")
        try FileManager.default.createDirectory(
            at: tenant.folder.appending(path: "export/hooks"), withIntermediateDirectories: true)
    }

    @Test("The folder form names every file's problems, with the file and the line")
    func folderProblems() async throws {
        try await Tenant.run { tenant in
            try tenant.write("{\"name\": \"A\",\n \"callback\": []}", to: "export/clients/a.json")
            try tenant.write("{\"name\": \"B\",\n\n \"callbacks\": 7}", to: "export/clients/b.json")
            let file = try TenantFile(contentsOf: tenant.folder.appending(path: "export"), environment: [:])
            let error = await #expect(throws: TenantFileError.self) {
                try await Plan.make(file, stores: tenant.stores, box: Tenant.box, allowDelete: false)
            }
            #expect(error?.problems.map(\.location?.description) == ["clients/a.json:2", "clients/b.json:3"])

            try tenant.write("{\"name\": ", to: "export/clients/c.json")
            try tenant.write("{\"name\": \"##NOBODY##\"}", to: "export/roles/d.json")
            try tenant.write("", to: "export/client/e.json")
            let unreadable = #expect(throws: TenantFileError.self) {
                try TenantFile(contentsOf: tenant.folder.appending(path: "export"), environment: [:])
            }
            let text = unreadable?.description ?? ""
            #expect(text.contains("clients/c.json:2: not valid YAML"))
            #expect(text.contains("roles/d.json:1: NOBODY is not in the environment"))
            #expect(text.contains("client: is no folder of a Deploy CLI export; did you mean clients?"))
        }
    }

    @Test("A file that is not there, no UTF-8, or no mapping is refused by name", arguments: ["", "- a\n", "text"])
    func noMapping(yaml: String) async throws {
        let error = #expect(throws: TenantFileError.self) {
            try TenantFile(yaml: yaml, name: "tenant.yaml", environment: [:])
        }
        #expect(error?.description.contains("a tenant file is a mapping") == true)
        try await Tenant.run { tenant in
            let missing = tenant.folder.appending(path: "missing.yaml")
            #expect(throws: TenantFileError.self) { try TenantFile(contentsOf: missing, environment: [:]) }
            let latin = tenant.folder.appending(path: "latin.yaml")
            try Data([0x61, 0x3A, 0x20, 0xE9]).write(to: latin)
            let error = #expect(throws: TenantFileError.self) { try TenantFile(contentsOf: latin, environment: [:]) }
            #expect(error?.description.contains("is not UTF-8") == true)
        }
    }

    @Test("A byte order mark and Windows line ends change nothing, nor the lines of problems")
    func windows() async throws {
        try await Tenant.run { tenant in
            let windows = "\u{FEFF}" + shop.replacing("\n", with: "\r\n")
            try await tenant.apply(windows)
            #expect(try await tenant.plan(shop).isEmpty)
            let wrong = try await tenant.problems("tenant:\r\n  friendly_name: Shop\r\n  suport_url: x\r\n")
            #expect(wrong.first?.hasPrefix("tenant.yaml:3: tenant.suport_url: ") == true)
        }
    }

    @Test("An alias stands for its value; aliases that unfold without end are refused within a second")
    func aliases() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(
                """
                clients:
                  - name: A
                    app_type: spa
                    callbacks: &urls ["https://a.example.com/"]
                    allowed_logout_urls: *urls
                """)
            #expect(plan.differences(of: "A").contains(#"allowed_logout_urls: ["https://a.example.com/"]"#))
        }
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            bomb +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        let text = bomb
        let start = ContinuousClock.now
        let error = #expect(throws: TenantFileError.self) {
            try TenantFile(yaml: text, name: "tenant.yaml", environment: [:])
        }
        #expect(error?.description.contains("unfolds into more than 200000 values") == true)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("A name that stands twice in one mapping is refused, whatever its quotes")
    func duplicateKeys() async throws {
        try await Tenant.run { tenant in
            let kinds = try await tenant.problems("clients: []\nroles: []\nclients: []\n")
            #expect(kinds == ["tenant.yaml:1: is there twice: clients"])
            let flags = try await tenant.problems("tenant:\n  friendly_name: A\n  flags: {1: true, \"1\": false}\n")
            #expect(flags == ["tenant.yaml:3: tenant.flags.1: is there twice"])
        }
    }

    @Test("A huge file is refused without being read to its end")
    func hugeFile() async throws {
        try await Tenant.run { tenant in
            let url = tenant.folder.appending(path: "huge.yaml")
            #expect(FileManager.default.createFile(atPath: url.path(), contents: nil))
            let handle = try FileHandle(forWritingTo: url)
            try handle.truncate(atOffset: 100 << 30)
            try handle.close()
            let start = ContinuousClock.now
            let error = #expect(throws: TenantFileError.self) { try TenantFile(contentsOf: url, environment: [:]) }
            #expect(error?.description.contains("is larger than 8 MiB") == true)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test("Nesting a thousand deep is refused instead of overflowing the stack", arguments: ["[", "{a: "])
    func nesting(opening: String) {
        let yaml = "tenant: " + String(repeating: opening, count: 100_000)
        let error = #expect(throws: TenantFileError.self) {
            try TenantFile(yaml: yaml, name: "tenant.yaml", environment: [:])
        }
        #expect(error?.description.contains("tenant.yaml:1: not valid YAML") == true)
    }
}
