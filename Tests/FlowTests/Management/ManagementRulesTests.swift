import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: rules")
struct ManagementRulesTests {
    private static let script: JSONValue = "function (user, context, callback) { callback(null, user, context); }"

    @Test("A rule is created behind the others, read, changed and deleted, as Auth0's SDKs do it")
    func life() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let created = try await management.send(
                .post, "rules", ["name": "Add roles", "script": Self.script, "enabled": false])
            #expect(created.status == .created)
            let rule = try created.json()
            let id = try #require(rule["id"]?.string)
            #expect(id.wholeMatch(of: /rul_[A-Za-z0-9]{16}/) != nil)
            #expect(rule["order"] == 1 && rule["enabled"] == false && rule["stage"] == "login_success")
            let second = try await management.post(
                "rules", ["name": "Second", "script": Self.script, "enabled": false, "order": 20])
            let third = try await management.post("rules", ["name": "3rd-rule", "script": "x", "enabled": false])
            #expect(second["order"] == 20 && third["order"] == 21)

            #expect(try await management.list("rules").map { $0["name"] } == ["Add roles", "Second", "3rd-rule"])
            let page = try await management.get("rules?page=1&per_page=2&include_totals=true")
            #expect(page["total"] == 3 && page["start"] == 2 && page["rules"]?.array?.count == 1)
            #expect(try await management.list("rules?enabled=true").isEmpty)
            #expect(try await management.list("rules?fields=name")[0] == ["name": "Add roles"])
            #expect(try await management.get("rules/\(id)?fields=script&include_fields=false")["script"] == nil)

            let changed = try await management.patch("rules/\(id)", ["script": "changed", "order": 30])
            #expect(changed["script"] == "changed" && changed["order"] == 30 && changed["name"] == "Add roles")
            #expect(try await management.get("rules/\(id)") == changed)
            #expect(try await management.send(.delete, "rules/\(id)").status == .noContent)
            #expect(try await management.send(.delete, "rules/\(id)").status == .noContent)
            let gone = try await management.send(.get, "rules/\(id)")
            #expect(gone.status == .notFound)
            #expect(try gone.json()["errorCode"] == "inexistent_rule")
        }
    }

    @Test("No two rules have the same order or name, and what is wrong is named")
    func refusals() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let first = try await management.post("rules", ["name": "First", "script": "x", "enabled": false])
            let id = try #require(first["id"]?.string)
            for (body, message) in [
                (["name": "Second", "script": "x", "order": 1], "A rule with the same order already exists"),
                (["name": "First", "script": "x"], "A rule with the same name already exists"),
            ] as [(JSONValue, String)] {
                let refused = try await management.send(.post, "rules", body)
                #expect(refused.status == .conflict)
                #expect(try refused.json()["message"]?.string == message)
            }
            _ = try await management.post("rules", ["name": "Second", "script": "x", "enabled": false])
            #expect(try await management.send(.patch, "rules/\(id)", ["order": 2]).status == .conflict)
            #expect(try await management.send(.patch, "rules/\(id)", ["order": 1]).status == .ok)
            for (body, part) in [
                (["name": "-no-", "script": "x"], "name"), (["name": "A", "script": ""], "script"),
                (["name": "A"], "script"), (["name": "A", "script": "x", "stage": "pre_authorize"], "stage"),
                (["name": "A", "script": "x", "order": -1], "order"),
                (["name": "A", "script": .string(String(repeating: "x", count: 102_401))], "script"),
                (["name": "A", "script": "x", "id": "rul_1"], "id"),
            ] as [(JSONValue, String)] {
                let refused = try await management.send(.post, "rules", body)
                #expect(refused.status == .badRequest)
                #expect(try refused.json()["message"]?.string?.contains(part) == true)
            }
            #expect(try await management.send(.patch, "rules/\(id)", ["stage": "login_success"]).status == .badRequest)
        }
    }

    @Test("Values that rules read are set and listed by their keys, never read back, and never stored in clear")
    func configurations() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let value: JSONValue = "value-that-nobody-reads-back"
            let set = try await management.send(.put, "rules-configs/SLACK_HOOK", ["value": value])
            #expect(set.status == .ok)
            #expect(try set.json() == ["key": "SLACK_HOOK", "value": value])
            #expect(try await management.list("rules-configs") == [["key": "SLACK_HOOK"]])
            let stored = try await server.services.stores.database.read { try RuleConfigurationStore.list(in: $0) }
            #expect(try server.services.secret.box.open(stored[0].sealedValue) == "value-that-nobody-reads-back")
            let logged = try await server.logEvents().map { try JSON.text($0.document) }
            #expect(logged.contains { $0.contains("SLACK_HOOK") })
            #expect(!logged.contains { $0.contains("nobody-reads-back") })
            #expect(try await management.send(.put, "rules-configs/no%20key", ["value": "x"]).status == .badRequest)
            #expect(try await management.send(.put, "rules-configs/K", ["value": ""]).status == .badRequest)
            #expect(try await management.send(.delete, "rules-configs/SLACK_HOOK").status == .noContent)
            #expect(try await management.list("rules-configs").isEmpty)
        }
    }
}
