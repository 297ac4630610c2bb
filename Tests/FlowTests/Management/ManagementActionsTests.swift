import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: actions")
struct ManagementActionsTests {
    private static let code: JSONValue = "exports.onExecutePostLogin = async (event, api) => {};"

    static func create(
        _ management: ManagementClient, _ name: String, trigger: JSONValue = "post-login", _ more: JSONObject = [:]
    ) async throws -> JSONObject {
        let members: JSONObject = ["name": .string(name), "code": code, "supported_triggers": [["id": trigger]]]
        return try await management.post("actions/actions", .object(members.merging(more) { $1 }))
    }

    static func id(_ members: JSONObject) throws -> String { try #require(members["id"]?.string) }

    @Test(
        "Auth0's Deploy CLI finds what it drives actions by: created, listed as built, deployed, bound by name, changed"
    )
    func deployment() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.send(
                .post, "actions/actions",
                [
                    "name": "Add roles", "code": Self.code, "runtime": "node18",
                    "supported_triggers": [["id": "post-login", "version": "v2"]], "secrets": [],
                    "dependencies": [["name": "axios", "version": "4.17.21"]],
                ])
            #expect(made.status == .created)
            let id = try Self.id(made.json())
            #expect(UUID(uuidString: id) != nil)
            let listed = try await management.get("actions/actions?page=0&per_page=100")
            let found = try #require(listed["actions"]?.array?.first?.object)
            #expect(listed["total"] == 1 && listed["per_page"] == 100 && listed["page"] == 0)
            #expect(found["status"] == "built" && found["all_changes_deployed"] == false)
            #expect(found["deployed_version"] == nil && found["runtime"] == "node18")
            #expect(found["supported_triggers"] == [["id": "post-login", "version": "v2"]])
            #expect(try await management.get("actions/actions?page=1")["actions"] == [])
            let totals = try await management.send(.get, "actions/actions?include_totals=true")
            #expect(totals.status == .badRequest)
            #expect(totals.text.contains("Additional properties not allowed: include_totals"))

            let deployed = try await management.send(.post, "actions/actions/\(id)/deploy")
            #expect(deployed.status == .accepted)
            let version = try deployed.json()
            #expect(version["number"] == 1 && version["deployed"] == true && version["code"] == Self.code)
            #expect(version["action"]?.object?["id"] == .string(id))
            let bound = try await management.patch(
                "actions/triggers/post-login/bindings",
                ["bindings": [["ref": ["type": "action_name", "value": "Add roles"], "display_name": "Roles"]]])
            #expect(bound["bindings"]?.array?.first?.object?["display_name"] == "Roles")
            let bindings = try await management.get("actions/triggers/post-login/bindings?page=0&per_page=50")
            let action = bindings["bindings"]?.array?.first?.object?["action"]?.object
            #expect(action?["name"] == "Add roles" && action?["all_changes_deployed"] == true)

            let changed = try await management.patch("actions/actions/\(id)", ["code": "exports.x = 2"])
            #expect(changed["all_changes_deployed"] == false && changed["code"] == "exports.x = 2")
            #expect(changed["deployed_version"]?.object?["code"] == Self.code)
            let again = try await management.send(.post, "actions/actions/\(id)/deploy").json()
            #expect(again["number"] == 2)
            // What has not changed since needs no new version.
            #expect(try await management.send(.post, "actions/actions/\(id)/deploy").json()["id"] == again["id"])
        }
    }

    @Test("Versions are listed from the newest on, and an older one can be deployed again")
    func rollBack() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let id = try Self.id(try await Self.create(management, "A", ["deploy": true]))
            _ = try await management.patch("actions/actions/\(id)", ["code": "second"])
            _ = try await management.send(.post, "actions/actions/\(id)/deploy")
            let versions = try await management.get("actions/actions/\(id)/versions")
            #expect(versions["total"] == 2)
            let listed = versions["versions"]?.array?.compactMap(\.object) ?? []
            #expect(listed.map { $0["number"] } == [2, 1] && listed.map { $0["deployed"] } == [true, false])
            let first = try Self.id(listed[1])
            #expect(try await management.get("actions/actions/\(id)/versions/\(first)")["code"] == Self.code)

            let rolled = try await management.send(.post, "actions/actions/\(id)/versions/\(first)/deploy")
            #expect(rolled.status == .accepted)
            #expect(try rolled.json()["number"] == 3)
            let action = try await management.get("actions/actions/\(id)")
            #expect(action["deployed_version"]?.object?["code"] == Self.code)
            #expect(action["code"] == "second" && action["all_changes_deployed"] == false)
            _ = try await management.post(
                "actions/actions/\(id)/versions/\(first)/deploy", ["update_draft": true])
            let reverted = try await management.get("actions/actions/\(id)")
            #expect(reverted["code"] == Self.code && reverted["all_changes_deployed"] == true)
            for path in ["versions/none", "versions/\(id)"] {
                #expect(try await management.send(.get, "actions/actions/\(id)/\(path)").status == .notFound)
            }
        }
    }

    @Test("A secret's value is sealed and shown to nobody; a name without a value keeps the one that is there")
    func secrets() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await Self.create(
                management, "A",
                [
                    "deploy": true,
                    "secrets": [["name": "KEY", "value": "hidden-1"], ["name": "OLD", "value": "hidden-2"]],
                ])
            let id = try Self.id(made)
            let shown = made["secrets"]?.array?.compactMap(\.object) ?? []
            #expect(shown.map { $0["name"] } == ["KEY", "OLD"] && shown.allSatisfy { $0["updated_at"] != nil })
            let box = server.services.secret.box
            func stored() async throws -> String {
                let action = try await server.services.stores.database.read { try ActionStore.find(id, in: $0) }
                return try box.open(action?.content.sealedSecrets ?? "")
            }
            #expect(try await stored() == #"{"KEY":"hidden-1","OLD":"hidden-2"}"#)
            let kept = try await management.patch(
                "actions/actions/\(id)", ["secrets": [["name": "KEY"], ["name": "OLD"]]])
            #expect(kept["all_changes_deployed"] == true && kept["secrets"] == made["secrets"])
            let changed = try await management.patch(
                "actions/actions/\(id)", ["secrets": [["name": "KEY"], ["name": "NEW", "value": "hidden-3"]]])
            #expect(changed["all_changes_deployed"] == false)
            #expect(try await stored() == #"{"KEY":"hidden-1","NEW":"hidden-3"}"#)
            let missing = try await management.send(
                .patch, "actions/actions/\(id)", ["secrets": [["name": "NOTHING"]]])
            #expect(missing.status == .badRequest && missing.text.contains("secrets[0].value"))
            _ = try await management.patch("actions/actions/\(id)", ["secrets": []])

            for path in ["actions/actions", "actions/actions/\(id)/versions", "actions/actions/\(id)"] {
                #expect(try await !management.send(.get, path).text.contains("hidden-"))
            }
            #expect(try await server.logEvents().allSatisfy { try !JSON.text($0.document).contains("hidden-") })
        }
    }

    @Test("Bindings name actions by id, name or binding, in their order; what cannot be bound is said")
    func bindings() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "actions/triggers/post-login/bindings"
            let (first, second) = (
                try Self.id(try await Self.create(management, "First", ["deploy": true])),
                try Self.id(try await Self.create(management, "Second", ["deploy": true]))
            )
            _ = try await Self.create(management, "Draft")
            _ = try await Self.create(management, "Machine", trigger: "credentials-exchange", ["deploy": true])
            func reference(_ type: String, _ value: String) -> JSONValue {
                ["ref": ["type": .string(type), "value": .string(value)]]
            }
            func names(_ members: JSONObject) -> [String] {
                (members["bindings"]?.array ?? []).compactMap { $0.object?["display_name"]?.string }
            }
            let bound = try await management.patch(
                path, ["bindings": [reference("action_id", second), reference("action_name", "First")]])
            #expect(names(bound) == ["Second", "First"])
            let firstBinding = try Self.id(try #require(bound["bindings"]?.array?[1].object))
            let turned = try await management.patch(
                path, ["bindings": [reference("binding_id", firstBinding), reference("action_id", second)]])
            #expect(names(turned) == ["First", "Second"])
            #expect(try await names(management.get(path)) == ["First", "Second"])
            #expect(turned["bindings"]?.array?[0].object?["id"] == .string(firstBinding))

            for (reference, part) in [
                (reference("action_name", "Draft"), "must be deployed"),
                (reference("action_name", "Gone"), "no action"),
                (reference("action_name", "Machine"), "credentials-exchange"), (reference("name", "First"), "ref.type"),
            ] {
                let refused = try await management.send(.patch, path, ["bindings": [reference]])
                #expect(refused.status == .badRequest && refused.text.contains(part))
            }
            let twice = JSONValue.array([reference("action_id", first), reference("action_id", first)])
            #expect(try await management.send(.patch, path, ["bindings": twice]).status == .badRequest)
            #expect(try await management.send(.get, "actions/triggers/no-such/bindings").status == .badRequest)

            let held = try await management.send(.delete, "actions/actions/\(first)")
            #expect(held.status == .badRequest && held.text.contains("unbind it"))
            #expect(try await management.send(.delete, "actions/actions/\(first)?force=true").status == .noContent)
            #expect(try await names(management.get(path)) == ["Second"])
            #expect(names(try await management.patch(path, ["bindings": []])).isEmpty)
            #expect(try await management.send(.delete, "actions/actions/\(second)").status == .noContent)
        }
    }

    @Test("Lists are filtered as Auth0's are, triggers have their versions, and what is wrong is named")
    func lists() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            _ = try await Self.create(management, "Login", ["deploy": true])
            _ = try await Self.create(management, "Machine", trigger: "credentials-exchange")
            func names(_ query: String) async throws -> [JSONValue?] {
                try await management.get("actions/actions?\(query)")["actions"]?.array?.map { $0.object?["name"] } ?? []
            }
            #expect(try await names("triggerId=post-login") == ["Login"])
            #expect(try await names("actionName=Machine") == ["Machine"])
            #expect(try await names("deployed=true") == ["Login"])
            #expect(try await names("deployed=false") == ["Machine"])
            #expect(try await names("installed=true").isEmpty)
            let triggers = try await management.get("actions/triggers")["triggers"]?.array?.compactMap(\.object) ?? []
            let current = triggers.filter { $0["id"] == "post-login" && $0["status"] == "CURRENT" }
            #expect(current.map { $0["version"] } == ["v3"] && current[0]["default_runtime"] == "node22")
            #expect(Set(triggers.compactMap { $0["id"]?.string }) == Set(ActionTrigger.allCases.map(\.rawValue)))
            #expect(try await management.get("actions/service/status")["status"] == "active")

            for (more, part) in [
                (["name": "Login"], "name"), (["supported_triggers": []], "supported_triggers"),
                (["supported_triggers": [["id": "post-login", "version": "v9"]]], "version"),
                (["runtime": "python"], "runtime"), (["status": "built"], "status"),
                (["code": .string(String(repeating: "x", count: 102_401))], "code"),
                (["modules": [["module_name": "m", "module_version_number": 1]]], "modules"),
                (["secrets": [["name": "A", "value": "1"], ["name": "A", "value": "2"]]], "secrets[1].name"),
            ] as [(JSONObject, String)] {
                let members: JSONObject = ["name": "New", "code": "", "supported_triggers": [["id": "post-login"]]]
                let refused = try await management.send(
                    .post, "actions/actions", .object(members.merging(more) { $1 }))
                #expect(refused.status == .badRequest && refused.text.contains(part), "\(part): \(refused.text)")
            }
            let unknown = try await management.send(.get, "actions/actions/none")
            #expect(unknown.status == .notFound)
            #expect(try unknown.json()["message"] == "That action does not exist.")
            for path in ["actions/actions/none/test", "actions/modules"] {
                #expect(try await management.send(.post, path, [:]).status.code == 501)
            }
        }
    }
}
