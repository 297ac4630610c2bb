import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Rules and actions of a tenant file")
struct ScriptFileTests {
    static let scripts = #"""
        rules:
          - name: Add roles
            order: 3
            enabled: false
            stage: login_success
            script: |
              function (user, context, callback) {
                callback(null, user, context);
              }
          - {name: Last, script: "x", enabled: false}
        rulesConfigs:
          - {key: SLACK, value: "##SLACK##"}
        actions:
          - name: Claims
            code: |
              exports.onExecutePostLogin = async (event, api) => {};
            runtime: node18
            deployed: true
            status: built
            dependencies: [{name: axios, version: 4.17.21}]
            secrets: [{name: KEY, value: "##KEY##"}]
            supported_triggers: [{id: post-login, version: v2}]
          - {name: Machines, code: x, deployed: true, supported_triggers: [{id: credentials-exchange}]}
        triggers:
          post-login:
            - {action_name: Claims, display_name: Add claims}
        """#
    static let environment = ["SLACK": "hidden-hook", "KEY": "hidden-key"]

    static func bindings(_ tenant: Tenant) async throws -> [String] {
        try await tenant.stores.database.read { transaction in
            let actions = try ActionStore.list(in: transaction)
            return try ActionBindingStore.list(in: transaction).map { binding in
                let action = actions.first { $0.id == binding.actionID }?.name ?? "?"
                return "\(binding.trigger.rawValue): \(action) as \(binding.displayName)"
            }
        }
    }

    static func rules(_ tenant: Tenant) async throws -> [String] {
        try await tenant.stores.database.read { try RuleStore.list(in: $0) }.map { "\($0.order) \($0.name)" }
    }

    @Test("Rules, their values, actions and bindings are applied, and a second apply changes nothing")
    func apply() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(Self.scripts, Self.environment)
            #expect(
                plan.summary == [
                    "+ rules Add roles", "+ rules Last", "+ rulesConfigs SLACK", "+ actions Claims",
                    "+ actions Machines", "+ triggers post-login",
                ])
            #expect(plan.differences(of: "Claims").contains("secrets.KEY: (set)"))
            #expect(!plan.text.contains("hidden-"))
            #expect(plan.notApplied.isEmpty)
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.plan(Self.scripts, Self.environment, delete: true).isEmpty)
            #expect(try await Self.rules(tenant) == ["3 Add roles", "4 Last"])
            #expect(try await Self.bindings(tenant) == ["post-login: Claims as Add claims"])
            let (action, deployed) = try await tenant.stores.database.read { transaction in
                (try ActionStore.list(in: transaction)[0], try ActionVersionStore.deployed(in: transaction))
            }
            #expect(deployed[action.id]?.content == action.content && deployed[action.id]?.number == 1)
            #expect(try Tenant.box.open(action.content.sealedSecrets ?? "") == #"{"KEY":"hidden-key"}"#)

            let changed = Self.scripts.replacing("async (event, api)", with: "async (event)")
            let second = try await tenant.plan(changed, Self.environment.merging(["KEY": "other"]) { $1 })
            #expect(second.summary == ["~ actions Claims"])
            #expect(second.differences(of: "Claims").contains("secrets.KEY: (changed)"))
            _ = try await second.apply(to: tenant.stores, at: Tenant.now)
            let number = try await tenant.stores.database.read { try ActionVersionStore.deployed(in: $0) }[action.id]
            #expect(number?.number == 2)
        }
    }

    @Test("Rules change places, and one takes the place of another that goes")
    func order() async throws {
        try await Tenant.run { tenant in
            func yaml(_ rules: (String, Int)...) -> String {
                "rules: ["
                    + rules.map { "{name: \($0.0), order: \($0.1), script: x, enabled: false}" }
                    .joined(separator: ", ") + "]"
            }
            try await tenant.apply(yaml(("A", 1), ("B", 2), ("C", 3)))
            try await tenant.apply(yaml(("A", 2), ("B", 3), ("C", 1)))
            #expect(try await Self.rules(tenant) == ["1 C", "2 A", "3 B"])
            try await tenant.apply(yaml(("D", 1), ("A", 2)), delete: true)
            #expect(try await Self.rules(tenant) == ["1 D", "2 A"])
            let problems = try await tenant.problems(yaml(("E", 2), ("F", 5), ("G", 5)))
            #expect(problems.count == 3)
            #expect(problems[0].contains("rules[0].order: 2 is the order of the rule 'A'"))
        }
    }

    @Test("With --delete what the file leaves out goes, but no value: an export has none of them")
    func deletion() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.scripts, Self.environment)
            let nothing = "rules: []\nrulesConfigs: []\nactions: []\ntriggers: {}\n"
            #expect(try await tenant.plan(nothing).isEmpty)
            let plan = try await tenant.plan("triggers: {}", delete: true)
            #expect(plan.summary == ["- triggers post-login"])
            try await tenant.apply(nothing, delete: true)
            #expect(try await Self.rules(tenant).isEmpty)
            #expect(try await tenant.stores.database.read { try ActionStore.list(in: $0) }.isEmpty)
            #expect(try await Self.bindings(tenant).isEmpty)
            let keys = try await tenant.stores.database.read { try RuleConfigurationStore.list(in: $0) }.map(\.key)
            #expect(keys == ["SLACK"])
        }
    }

    @Test("An export has the scripts and the names of the secrets, and applied again it changes nothing")
    func export() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.scripts, Self.environment)
            let export = try await tenant.export()
            #expect(!export.contains("hidden-") && export.contains("name: KEY"))
            #expect(export.contains("onExecutePostLogin"))
            #expect(try await tenant.plan(export).isEmpty)
            #expect(try await tenant.plan(export, delete: true).isEmpty)
            try await Tenant.run { copy in
                let plan = try await copy.plan(export)
                #expect(plan.notApplied.contains { $0.contains("the secret 'KEY' is not applied") })
                _ = try await plan.apply(to: copy.stores, at: Tenant.now)
                #expect(try await Self.rules(copy) == Self.rules(tenant))
                #expect(try await Self.bindings(copy) == Self.bindings(tenant))
                #expect(
                    try await copy.export() == export.replacing("\n  secrets:\n  - name: KEY", with: "\n  secrets: []"))
            }
        }
    }

    @Test("Scripts of any text come back from an export as they were")
    func awkwardScripts() async throws {
        for script in [
            "a\nb\n", "  indented\nrest", "no end", "tab\there\n\n\n", "##NOT## a keyword\n@@NOR@@ this\n",
            "quote \" '\n",
            "crlf\r\nline", "é 漢字 😀\n", "# comment\n- list\n", "x\n ", "\n\nfirst", "// see other.js",
            "\u{7F}\u{2028}\n",
        ] {
            try await Tenant.run { tenant in
                var rule = try Rule(
                    document: Document(["name": "A", "script": "x", "enabled": false], path: ""), standardID: "rul_1")
                rule.script = script
                let stored = rule
                try await tenant.stores.database.write { try RuleStore.save(stored, in: $0) }
                let export = try await tenant.export()
                #expect(try await tenant.plan(export).isEmpty, "\(script.debugDescription): \(export)")
            }
        }
    }

    @Test(
        "Scripts stand in files of their own beside a YAML file and in an export's folder, with keywords of their own")
    func files() async throws {
        try await Tenant.run { tenant in
            let script = "function f() { return '##NAME##' + @@LIST@@.length + @@NAME@@; }\n"
            let environment = ["NAME": "Ada", "LIST": #"["a","b"]"#]
            let replaced = "function f() { return 'Ada' + [\"a\",\"b\"].length + \"Ada\"; }\n"
            try tenant.write(script, to: "yaml/rules/Rule.js")
            try tenant.write("code\n", to: "yaml/actions/Act/code.js")
            let yaml = """
                rules: [{name: Rule, script: ./rules/Rule.js, enabled: false}]
                actions:
                  - {name: Act, code: ./actions/Act/code.js, supported_triggers: [{id: post-login}], deployed: true}
                triggers: {post-login: [{action_name: Act, display_name: Act}]}
                rulesConfigs: [{key: K, value: v}]
                """
            try tenant.write(yaml, to: "yaml/tenant.yaml")
            try tenant.write(script, to: "folder/rules/Rule.js")
            try tenant.write(
                #"{"name": "Rule", "script": "./Rule.js", "enabled": false}"#, to: "folder/rules/Rule.json")
            try tenant.write("code\n", to: "folder/actions/Act/code.js")
            try tenant.write(
                #"""
                {"name": "Act", "code": "./actions/Act/code.js", "deployed": true, "secrets": [],
                 "supported_triggers": [{"id": "post-login"}]}
                """#, to: "folder/actions/Act.json")
            try tenant.write(
                #"{"post-login": [{"action_name": "Act", "display_name": "Act"}]}"#,
                to: "folder/triggers/triggers.json")
            try tenant.write(#"{"key": "K", "value": "v"}"#, to: "folder/rules-configs/K.json")
            for (index, place) in ["yaml/tenant.yaml", "folder"].enumerated() {
                let file = try TenantFile(contentsOf: tenant.folder.appending(path: place), environment: environment)
                let plan = try await Plan.make(file, stores: tenant.stores, box: Tenant.box, allowDelete: true)
                guard index == 0 else {
                    #expect(plan.isEmpty)
                    continue
                }
                #expect(plan.changes.count == 4)
                _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
                let rule = try await tenant.stores.database.read { try RuleStore.list(in: $0) }.first
                #expect(rule?.script == replaced)
                let action = try await tenant.stores.database.read { try ActionStore.list(in: $0) }.first
                #expect(action?.content.code == "code\n")
            }
        }
    }

    @Test("What is wrong with scripts, actions and bindings is said at its line")
    func problems() async throws {
        try await Tenant.run { tenant in
            for (yaml, part) in [
                ("rules:\n  - {name: -A, script: x}", "tenant.yaml:2: rules[0].name"),
                ("rules: [{name: A, script: x, stage: pre_authorize}]", "rules[0].stage"),
                ("rulesConfigs: [{key: a b, value: x}]", "rulesConfigs[0].key"),
                ("actions: [{name: A, code: x}]", "actions[0].supported_triggers"),
                ("actions: [{name: A, supported_triggers: [{id: post-login}], runtime: node1}]", "actions[0].runtime"),
                ("triggers: {post-logn: []}", "did you mean post-login?"),
                ("triggers: {post-login: [{action_name: None}]}", "triggers.post-login[0].action_name: no action"),
                ("triggers: []", "triggers: must be a mapping"),
                (
                    "actions: [{name: A, supported_triggers: [{id: post-login}]}]\n"
                        + "triggers:\n  post-login: [{action_name: A}]",
                    "tenant.yaml:3: triggers.post-login[0].action_name: 'A' must be deployed"
                ),
                (
                    "actions: [{name: A, deployed: true, supported_triggers: [{id: credentials-exchange}]}]\n"
                        + "triggers: {post-login: [{action_name: A}]}", "is an action for credentials-exchange"
                ),
            ] {
                let problems = try await tenant.problems(yaml)
                #expect(problems.contains { $0.contains(part) }, "\(yaml): \(problems)")
            }
            for (path, part) in [
                ("./none.js", "there is no file './none.js'"),
                ("../outside.js", "'../outside.js' leads out of the export"),
            ] {
                let url = try tenant.write("\nrules: [{name: A, script: \(path)}]", to: "t.yaml")
                let error = #expect(throws: TenantFileError.self) { try TenantFile(contentsOf: url, environment: [:]) }
                #expect(error?.description.contains("t.yaml:2: rules[0].script: \(part)") == true)
            }
            try tenant.write("\n\n// ##NOBODY##", to: "a.js")
            let url = try tenant.write("rules: [{name: A, script: ./a.js}]", to: "t.yaml")
            let error = #expect(throws: TenantFileError.self) { try TenantFile(contentsOf: url, environment: [:]) }
            #expect(error?.description.contains("a.js:3: rules[0].script: NOBODY is not in the environment") == true)
        }
    }

    @Test("A rollback gives rules, values, actions, versions and bindings back")
    func rollback() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.scripts, Self.environment)
            let (export, rules) = (try await tenant.export(), try await Self.rules(tenant))
            try await tenant.apply(
                """
                rules: [{name: Last, order: 3, script: y, enabled: false}, {name: Add roles, order: 4}]
                rulesConfigs: [{key: SLACK, value: another}, {key: NEW, value: v}]
                actions:
                  - {name: Claims, code: changed, deployed: true, secrets: []}
                  - {name: New, deployed: true, supported_triggers: [{id: post-login}]}
                triggers: {post-login: [{action_name: New}, {action_name: Claims}]}
                """, delete: true)
            #expect(try await tenant.export() != export)
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            #expect(!plan.text.contains("hidden-"))
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.export() == export)
            #expect(try await Self.rules(tenant) == rules)
            #expect(try await tenant.plan(Self.scripts, Self.environment, delete: true).isEmpty)
        }
    }
}
