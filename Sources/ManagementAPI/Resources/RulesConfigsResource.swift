import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/rules-configs`: values that rules read. They are written and never read.
struct RulesConfigsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("rules-configs")
            .get(
                requires: .read("rules_configs"), "Retrieve config variable keys for rules",
                answers: .list(["key": .text.always]), use: list
            )
            .put(
                ":key", requires: .update("rules_configs"), "Set rules config for a given key",
                answers: .object(["key": .text.always, "value": .text.always]), use: set
            )
            .delete(":key", requires: .delete("rules_configs"), "Delete rules config for a given key", use: delete)
    }

    struct Value: Payload {
        let value: String

        init(from document: inout Document) throws(Document.Problem) {
            value = try document.requiredString("value", most: RuleConfiguration.longestValue)
        }
    }

    @Sendable private func list(_ call: Plain) async throws -> Answer {
        .ok(
            try await management.stores.database.readOnce { try RuleConfigurationStore.list(in: $0) }
                .map { ["key": .string($0.key)] })
    }

    @Sendable private func set(_ call: Submission<Value>) async throws -> Answer {
        let (key, value) = (call["key"], call.body.value)
        if let problem = RuleConfiguration.problem(withKey: key) {
            throw ManagementError.invalidPath(Document.Problem(path: "key", message: problem))
        }
        let configuration = RuleConfiguration(
            key: key, sealedValue: try management.services.secret.box.seal(value))
        return try await management.configure(call.caller) { transaction, _ in
            try RuleConfigurationStore.save(configuration, in: transaction)
            return Changed(
                .ok(["key": .string(key), "value": .string(value)]),
                [.init("rules-configs", key, before: nil, after: ["key": .string(key)])])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let key = call["key"]
        return try await management.configure(call.caller) { transaction, _ in
            guard try RuleConfigurationStore.delete(key, in: transaction) else { return Changed(.noContent, []) }
            return Changed(.noContent, [.init("rules-configs", key, before: ["key": .string(key)], after: nil)])
        }
    }
}
