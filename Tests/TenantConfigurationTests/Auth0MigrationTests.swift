import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("A tenant of Auth0's is taken over from its export")
struct Auth0MigrationTests {
    /// An export in folders, with every folder that one has.
    private static let files = [
        "tenant.json":
            #"{"friendly_name": "Shop", "default_directory": "Users", "sandbox_version": "22", "novelty": 1}"#,
        "clients/Shop.json": """
        {"name": "Shop", "app_type": "regular_web", "callbacks": ["https://##HOST##/callback", "not a url"],
         "grant_types": ["authorization_code", "refresh_token"], "novelty": true,
         "custom_login_page": "./Shop_custom_login_page.html", "sso_disabled": true}
        """,
        "clients/All Applications.json": #"{"name": "All Applications", "global": true}"#,
        "resource-servers/Orders.json":
            #"{"novelty": 1, "name": "Orders", "identifier": "https://orders.example.com", "scopes": @@SCOPES@@}"#,
        "grants/Shop (Orders).json":
            #"{"client_id": "Shop", "audience": "https://orders.example.com", "scope": ["read:orders"]}"#,
        "grants/Shop (Management).json":
            #"{"client_id": "Shop", "audience": "https://shop.auth0.com/api/v2/", "scope": ["read:users"]}"#,
        "database-connections/Users/database.json":
            #"{"name": "Users", "strategy": "auth0", "enabled_clients": ["Shop"], "options": {"passwordPolicy": "good"}}"#,
        "connections/google-oauth2.json": """
        {"name": "google-oauth2", "strategy": "google-oauth2", "enabled_clients": ["Shop"],
         "options": {"client_id": "google", "client_secret": "secret-of-google"}}
        """,
        "roles/Clerk.json": """
        {"name": "Clerk", "permissions": [
          {"resource_server_identifier": "https://orders.example.com", "permission_name": "read:orders"}]}
        """,
        "database-connections/Legacy/database.json": """
        {"name": "Legacy", "strategy": "auth0", "realms": ["Legacy"], "enabled_clients": ["Shop"],
         "options": {"enabledDatabaseCustomization": true, "import_mode": true,
                     "customScripts": {"login": "./login.js", "get_user": "./get_user.js"}}}
        """,
        "database-connections/Legacy/login.js": "function login(email, password, callback) {\n  // ##HOST##\n}",
        "database-connections/Legacy/get_user.js": "function getByEmail(email, callback) {}",
        "log-streams/Audit.json": """
        {"name": "Audit", "type": "http", "sink": {"httpEndpoint": "https://logs.example.com/",
         "httpAuthorization": "##LOGSTREAMS_HTTP_SECRET##"}}
        """,
        "rules/Add a claim.json":
            #"{"name": "Add a claim", "script": "./Add a claim.js", "enabled": true, "stage": "login_success"}"#,
        "rules/Add a claim.js": "function (user, context, callback) {\n  callback(null, user, context);\n}",
        "rules-configs/KEY.json": ###"{"key": "KEY", "value": "##KEY##"}"###,
        "hooks/Before.json": ###"{"name": "Before", "script": "./Before.js", "secrets": {"K": "##HOOK_SECRET##"}}"###,
        "hooks/Before.js": "module.exports = function () {};",
        "actions/Greet/code.js": "exports.onExecutePostLogin = async () => {};",
        "actions/Greet.json":
            """
        {"name": "Greet", "code": "./actions/Greet/code.js", "secrets": [{"name": "A", "value": "##A##"}],
         "supported_triggers": [{"id": "post-login", "version": "v3"}], "deployed": true}
        """,
        "action-modules/helper.json": #"{"name": "helper", "code": "./action-modules/helper/code.js"}"#,
        "action-modules/helper/code.js": "module.exports = {};",
        "triggers/triggers.json": #"{"post-login": [{"action_name": "Greet"}], "send-phone-message": []}"#,
        "organizations/acme.json": #"{"name": "acme", "connections": [{"name": "Users"}]}"#,
        "emails/provider.json": """
        {"name": "smtp", "enabled": true, "default_from_address": "Shop <shop@example.com>",
         "credentials": {"smtp_host": "mail.example.com", "smtp_port": 587, "smtp_user": "shop",
                         "smtp_pass": "##SMTP_PASS##"}}
        """,
        "emails/verify_email.json": """
        {"template": "verify_email", "body": "./verify_email.html", "enabled": true, "subject": "Verify", "from": "",
         "syntax": "liquid", "resultUrl": "", "urlLifetimeInSeconds": 432000}
        """,
        "emails/verify_email.html": "<p>Verify</p>",
        "pages/login.json": #"{"name": "login", "enabled": true, "html": "./login.html"}"#,
        "pages/login.html": "<html></html>",
        "prompts/prompts.json": #"{"identifier_first": true}"#,
        "prompts/custom-text.json": #"{"en": {"login": {"login": {"title": "Hello"}}}}"#,
        "prompts/partials.json": """
        {"login": [{"login": [{"name": "form-content-start",
                               "template": "partials/login/login/form-content-start.liquid"}]}]}
        """,
        "prompts/partials/login/login/form-content-start.liquid": "<div>Hello</div>",
        "prompts/screenRenderSettings/login-id_login-id.json": #"{"prompt": "login-id", "screen": "login-id"}"#,
        "branding/branding.json": ###"{"colors": {"primary": "#19aecc"}}"###,
        "branding/templates/universal_login.json":
            #"{"template": "universal_login", "body": "./universal_login.html"}"#,
        "branding/templates/universal_login.html": "<html>{%- auth0:widget -%}</html>",
        "themes/theme.json": #"{"displayName": "Theme"}"#,
        "guardian/factors/otp.json": #"{"name": "otp", "enabled": true}"#,
        "guardian/providers/sms-twilio.json": #"{"name": "sms", "provider": "twilio"}"#,
        "guardian/templates/sms.json": #"{"name": "sms", "enrollment_message": "{{code}}"}"#,
        "guardian/policies.json": #"{"policies": ["all-applications"]}"#,
        "guardian/phoneFactorMessageTypes.json": #"{"message_types": ["sms"]}"#,
        "guardian/phoneFactorSelectedProvider.json": #"{"provider": "twilio"}"#,
        "attack-protection/brute-force-protection.json": #"{"enabled": true}"#,
        "attack-protection/breached-password-detection.json": #"{"enabled": false}"#,
        "attack-protection/suspicious-ip-throttling.json": #"{"enabled": true}"#,
        "custom-domains/custom-domains.json": #"[{"domain": "login.shop.example.com"}]"#,
        "phone-providers/provider.json": #"[{"name": "twilio"}]"#,
        "supplemental-signals.json": #"{"akamai_enabled": true}"#,
        "network-acls/Some.json": #"{"description": "Some"}"#,
        "rate-limit-policies/default.json": #"{"consumer_selector": "default"}"#,
        "README.md": "# Our tenant",
        "novelties/one.json": "{}",
        "clients/Shop_custom_login_page.html": "<html>Shop</html>",
    ]
    private static let environment = ["HOST": "shop.example.com", "SCOPES": #"[{"value": "read:orders"}]"#]

    private func migrate(_ tenant: Tenant, _ files: [String: String] = files) async throws -> Auth0Migration {
        for (path, text) in files { try tenant.write(text, to: "export/\(path)") }
        return try await Auth0Migration.make(
            export: tenant.folder.appending(path: "export"), environment: Self.environment, stores: tenant.stores,
            box: Tenant.box)
    }

    @Test("What has a place is there afterwards, in Auth0's wording, and a second time nothing changes")
    func takenOver() async throws {
        try await Tenant.run { tenant in
            _ = try await migrate(tenant).plan.apply(to: tenant.stores, at: Tenant.now)
            let client = try #require(try await tenant.client("Shop"))
            #expect(client.client.callbacks.map(\.text) == ["https://shop.example.com/callback"])
            #expect(try await tenant.stores.tenant.settings().wireDialect == .auth0)
            #expect(try await tenant.grants().map(\.audience) == ["https://orders.example.com"])
            #expect(try await tenant.roles().map(\.name) == ["Clerk"])
            let connections = try await tenant.stores.connections.list()
            #expect(connections.map(\.name) == ["Legacy", "Users", "google-oauth2"])
            #expect(
                connections[0].options["customScripts"]?.object?["login"]
                    == "function login(email, password, callback) {\n  // shop.example.com\n}")
            #expect(client.client.other["custom_login_page"] == "<html>Shop</html>")
            #expect(try await migrate(tenant).plan.isEmpty)
        }
    }

    @Test("What has none is named with the reason, each resource and each field; nothing is dropped in silence")
    func leftOut() async throws {
        try await Tenant.run { tenant in
            let migration = try await migrate(tenant)
            let leftOut = migration.leftOut
            for part in [
                "tenant.novelty: ", "clients 'Shop' novelty: ", "clients 'Shop' callbacks[1]: ",
                "clientGrants 'Shop → https://shop.auth0.com/api/v2/' audience: ",
                "clients 'All Applications': the global client is not applied",
                "connections 'google-oauth2': the strategy google-oauth2 is kept",
                "connections 'google-oauth2' options.client_secret: not kept",
                "logStreams 'Audit' sink.httpAuthorization: LOGSTREAMS_HTTP_SECRET is not in the environment",
                "README.md: ", "novelties/: ",
            ] {
                #expect(leftOut.contains { $0.contains(part) }, "\(part) is not in \(leftOut)")
            }
            #expect(!leftOut.contains { $0.contains("secret-of-google") })
            // Placeholders in what is left out anyway need no value.
            #expect(!leftOut.contains { $0.contains("HOOK_SECRET") })
            #expect(leftOut.contains { $0.contains("SMTP_PASS is not in the environment") })
        }
    }

    @Test("Scripts are kept, and wait: no login is stopped by one that the server cannot run")
    func scripts() async throws {
        try await Tenant.run { tenant in
            let migration = try await migrate(tenant)
            _ = try await migration.plan.apply(to: tenant.stores, at: Tenant.now)
            let (rules, actions, bindings) = try await tenant.stores.database.read { transaction in
                (
                    try RuleStore.list(in: transaction), try ActionStore.list(in: transaction),
                    try ActionBindingStore.list(in: transaction)
                )
            }
            #expect(rules.map(\.name) == ["Add a claim"] && !rules[0].isEnabled)
            #expect(rules[0].script.hasPrefix("function (user, context, callback) {"))
            #expect(actions.map(\.name) == ["Greet"] && bindings.isEmpty)
            for part in ["rule Add a claim: is kept and disabled", "action Greet: is kept and not bound to post-login"]
            {
                #expect(migration.changed.contains { $0.hasPrefix(part) }, "\(part) is not in \(migration.changed)")
            }
        }
    }

    /// What the report says of the kinds of ``files`` that this version does not have.
    private static let others: [String: [String]] = [
        "hooks": ["hooks 'Before': "],
        "actionModules": ["actionModules 'helper': "],
        "pages": ["pages 'login': "],
        "prompts": [
            "prompts.identifier_first: ", "prompts.customText: ", "prompts.partials: ", "prompts.screenRenderers: ",
        ],
        "branding": ["branding.colors: ", "branding.templates: "],
        "themes": ["themes 'Theme': "],
        "guardianFactors": ["guardianFactors 'otp': "],
        "guardianFactorProviders": ["guardianFactorProviders 'sms': "],
        "guardianFactorTemplates": ["guardianFactorTemplates 'sms': "],
        "guardianPolicies": ["guardianPolicies.policies: "],
        "guardianPhoneFactorMessageTypes": ["guardianPhoneFactorMessageTypes.message_types: "],
        "guardianPhoneFactorSelectedProvider": ["guardianPhoneFactorSelectedProvider.provider: "],
        "attackProtection": ["attackProtection.bruteForceProtection: ", "attackProtection.suspiciousIpThrottling: "],
        "customDomains": ["customDomains 'login.shop.example.com': "],
        "phoneProviders": ["phoneProviders 'twilio': "],
        "supplementalSignals": ["supplementalSignals.akamai_enabled: "],
        "networkACLs": ["networkACLs "],
        "rateLimitPolicies": ["rateLimitPolicies 'default': "],
    ]

    @Test("Every file of an export is read by its kind, or named")
    func everyFile() async throws {
        try await Tenant.run { tenant in
            let leftOut = try await migrate(tenant).leftOut
            // A kind that this version has is taken over; the others are in the report by the names of their resources.
            let expected = Self.others.filter { ResourceType(rawValue: $0.key) == nil }.values.joined()
            let missing = expected.filter { line in !leftOut.contains { $0.hasPrefix(line) } }
            #expect(missing.isEmpty, "\(missing) not in \(leftOut)")
            let foreign = leftOut.filter { $0.contains("is no part of the export") }
            #expect(foreign.count == 2, "\(foreign)")
        }
    }

    @Test("A path that leads out of the export is not followed, and a text that is not there is told")
    func paths() async throws {
        try await Tenant.run { tenant in
            try tenant.write("secret", to: "outside.js")
            for (path, expected) in [
                ("../../../outside.js", "leads out of the export"), ("./nothing.js", "there is no file './nothing.js'"),
            ] {
                try tenant.write(
                    #"{"name": "Users", "options": {"customScripts": {"login": "\#(path)"}}}"#,
                    to: "folder/database-connections/Users/database.json")
                let error = #expect(throws: TenantFileError.self) {
                    try TenantFile(contentsOf: tenant.folder.appending(path: "folder"), environment: [:])
                }
                #expect(error?.description.contains(expected) == true)
            }
            try tenant.write(
                #"{"login": [{"login": [{"name": "form", "template": "../../outside.js"}]}]}"#,
                to: "partials/prompts/partials.json")
            try tenant.write("{}", to: "partials/prompts/prompts.json")
            let error = #expect(throws: TenantFileError.self) {
                try TenantFile(contentsOf: tenant.folder.appending(path: "partials"), environment: [:])
            }
            #expect(error?.description.contains("leads out of the export") == true)
        }
    }

    @Test("A keyword's value is not looked through for keywords; one without a value stays where nothing is refused")
    func keywordsInTexts() async throws {
        try await Tenant.run { tenant in
            let file = try tenant.write(
                "tenant: {}\nactions: [{name: Greet, code: ./code.js, supported_triggers: [{id: post-login}]}]",
                to: "yaml/tenant.yaml")
            try tenant.write("// ##A## @@B@@ ##NOBODY##", to: "yaml/code.js")
            let migration = try await Auth0Migration.make(
                export: file, environment: ["A": "@@B@@", "B": "{}"], stores: tenant.stores, box: Tenant.box)
            _ = try await migration.plan.apply(to: tenant.stores, at: Tenant.now)
            let actions = try await tenant.stores.database.read { try ActionStore.list(in: $0) }
            #expect(actions.map(\.content.code) == ["// @@B@@ {} ##NOBODY##"])
        }
    }

    @Test("The YAML form is taken over as the folders are, with the texts in files of their own")
    func yamlForm() async throws {
        try await Tenant.run { tenant in
            let file = try tenant.write(
                """
                tenant: {friendly_name: Shop}
                clients: [{name: Shop, custom_login_page: ./clients/Shop.html}]
                databases:
                  - name: Users
                    strategy: auth0
                    enabled_clients: [Shop]
                    options: {customScripts: {login: databases/Users/login.js}}
                actions:
                  - name: Greet
                    code: ./actions/Greet/code.js
                    supported_triggers: [{id: post-login, version: v3}]
                eventStreams: [{name: Events}]
                novelty: [{name: New}]
                """, to: "yaml/tenant.yaml")
            try tenant.write("<html>Shop</html>", to: "yaml/clients/Shop.html")
            try tenant.write("function login() {}", to: "yaml/databases/Users/login.js")
            try tenant.write("exports.onExecutePostLogin = async () => {};", to: "yaml/actions/Greet/code.js")
            let migration = try await Auth0Migration.make(
                export: file, environment: [:], stores: tenant.stores, box: Tenant.box)
            _ = try await migration.plan.apply(to: tenant.stores, at: Tenant.now)
            let connection = try #require(try await tenant.stores.connections.find(name: "Users"))
            #expect(connection.options["customScripts"]?.object?["login"] == "function login() {}")
            let client = try #require(try await tenant.client("Shop"))
            #expect(client.client.other["custom_login_page"] == "<html>Shop</html>")
            #expect(migration.leftOut.contains { $0.hasPrefix("eventStreams 'Events': ") })
            #expect(migration.leftOut.contains { $0.hasPrefix("novelty: ") })
        }
    }

    @Test("The report says what was taken over and not, and what the applications must change")
    func report() async throws {
        try await Tenant.run { tenant in
            let migration = try await migrate(tenant)
            let text = Auth0MigrationReport(migration, issuer: "https://id.example.com/", wasApplied: true).text(
                isComplete: false)
            #expect(text.contains("- application (1): Shop\n") && text.contains("- role (1): Clerk\n"))
            #expect(text.contains("- application Shop: has a new secret"))
            #expect(text.contains("https://id.example.com/ instead of"))
            let client = try #require(migration.newClientIDs.first)
            #expect(client.name == "Shop" && text.contains("- application Shop: its client_id is \(client.id)"))
            #expect(text.contains("- application Shop: custom_login_page, sso_disabled\n"))
            #expect(text.contains("- database Legacy: its scripts bring its users over, from this server's network"))
            #expect(!text.contains("options.customScripts"))
            let secret = try #require(migration.plan.changes.compactMap(\.generatedSecret).first)
            #expect(!text.contains(secret))
        }
    }

    @Test("Users come with their ids, metadata and password hashes; others are named; again, nobody is there twice")
    func users() async throws {
        try await Tenant.run { tenant in
            _ = try await migrate(tenant).plan.apply(to: tenant.stores, at: Tenant.now)
            let hash = "$2b$10$abcdefghijklmnopqrstuuOv0ziZYbJUzR0MGiuT6Ez8SkBeSQ8Pm"
            let users = try tenant.write(
                """
                {"user_id":"auth0|5f0000000000000000000001","email":"Ada@example.com","email_verified":true,\
                "name":"Ada","created_at":"2020-01-01T00:00:00Z","logins_count":7,"last_ip":"192.0.2.1",\
                "identities":[{"connection":"Users","provider":"auth0","user_id":"5f0000000000000000000001"}],\
                "app_metadata":{"plan":"gold"}}
                {"user_id":"google-oauth2|1","email":"bob@example.com","identities":[{"connection":"google-oauth2"}]}
                {"user_id":"auth0|5f0000000000000000000003","email":"eve@example.com",\
                "identities":[{"connection":"Elsewhere"}]}
                {"Id":"auth0|5f0000000000000000000004","Email":"dan@example.com"}

                """, to: "users.ndjson")
            let hashes = try tenant.write(
                """
                {"_id":{"$oid":"5f0000000000000000000001"},"email":"ada@example.com","passwordHash":"\(hash)"}

                """, to: "hashes.ndjson")
            let conversion = Auth0UserExport(
                standard: "Users", databases: ["Users"], hashes: try Auth0UserExport.passwordHashes(in: hashes))
            let importing = UserImport(stores: tenant.stores, connection: "Users", converting: conversion)
            let report = try await importing.run(file: users, upsert: false, at: Tenant.now)
            #expect(report.inserted == 2 && report.rejected.count == 2, "\(report.text)")
            #expect(report.rejected.first?.message.contains("google-oauth2") == true)
            #expect(report.rejected.last?.message.contains("'Elsewhere'") == true)
            #expect(report.leftOut == ["last_ip": 1, "logins_count": 1])
            let ada = try #require(
                try await tenant.stores.users.find(connection: "Users", identifier: "ada@example.com"))
            #expect(ada.user.id == "auth0|5f0000000000000000000001" && ada.user.isEmailVerified)
            #expect(ada.user.createdAt == Date(timeIntervalSince1970: 1_577_836_800))
            #expect(ada.user.appMetadata == ["plan": "gold"] && ada.passwordHash == hash)
            let again = try await importing.run(file: users, upsert: false, at: Tenant.now)
            #expect(again.inserted == 0 && again.updated == 0 && again.present == 2)
        }
    }

    @Test("A migration that goes on gives hashes to users without one, and leaves what users changed meanwhile")
    func goesOn() async throws {
        try await Tenant.run { tenant in
            _ = try await migrate(tenant).plan.apply(to: tenant.stores, at: Tenant.now)
            let hash = "$2b$10$abcdefghijklmnopqrstuuOv0ziZYbJUzR0MGiuT6Ez8SkBeSQ8Pm"
            func rows(_ members: String) throws -> URL {
                try tenant.write(
                    """
                    {"user_id":"auth0|1","email":"ada@example.com","user_metadata":{"a":1}\(members),\
                    "identities":[{"connection":"Users"},{"connection":"github","provider":"github"}]}
                    {"user_id":"auth0|2","email":"bob@example.com","identities":[{"connection":"Legacy"}],\
                    "custom_password_hash":{"algorithm":"md5","hash":{"value":"00"}},"multifactor":["otp"]}

                    """, to: "users.ndjson")
            }
            let importing = UserImport(
                stores: tenant.stores, connection: "Users",
                converting: Auth0UserExport(standard: "Users", databases: ["Users", "Legacy"]))
            let first = try await importing.run(file: rows(""), upsert: false, at: Tenant.now)
            #expect(first.inserted == 2 && first.rejected.isEmpty, "\(first.text)")
            #expect(first.leftOut == ["custom_password_hash": 1, "linked identities": 1, "multifactor": 1])
            try await tenant.stores.database.write { transaction in
                let found = try #require(
                    try UserStore.find(connection: "Users", identifier: "ada@example.com", in: transaction))
                var user = found.user
                user.userMetadata = ["a": 2]
                try UserStore.update(user, of: user.id, at: Tenant.now, in: transaction)
            }
            let second = try await importing.run(
                file: rows(#","password_hash":"\#(hash)""#), upsert: false, at: Tenant.now)
            #expect(second.updated == 1 && second.present == 1 && second.inserted == 0)
            let ada = try #require(
                try await tenant.stores.users.find(connection: "Users", identifier: "ada@example.com"))
            #expect(ada.passwordHash == hash && ada.user.userMetadata == ["a": 2])
            let bob = try await tenant.stores.users.find(connection: "Legacy", identifier: "bob@example.com")
            #expect(bob?.user.id == "auth0|2" && bob?.passwordHash == nil)
        }
    }
}
